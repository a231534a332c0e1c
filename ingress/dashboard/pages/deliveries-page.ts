/** `/deliveries`: the deliveries, each with its decision and reason. */
import { html } from 'hono/html';
import type { DeliveryRecord } from '../../../src/read-model/queries/deliveries.ts';
import type { Page } from '../../../src/read-model/queries/page.ts';
import { reasonText } from '../../api/messages/reasons.ts';
import { deliveryBadge } from '../components/badges.ts';
import type { Html } from '../components/layout.ts';
import { issueLink, runLink } from '../components/links.ts';
import { filterForm, olderLink, type Chosen } from './list-pages.ts';
import { when } from '../components/times.ts';

/** The body of the page. */
export function deliveriesPage(deliveries: Page<DeliveryRecord>, chosen: Chosen): Html {
  return html`<div class="title"><h1>Deliveries</h1></div>
    <p class="lead">GitHub's deliveries, newest first, with the decision about each and its reason.</p>
    ${filterForm('/deliveries', 'status', ['accepted', 'ignored'], chosen)}
    <section aria-label="Deliveries" id="deliveries" data-live>
      ${deliveries.items.length === 0 ? none() : table(deliveries.items)}
      ${olderLink('/deliveries', chosen, deliveries.next)}
    </section>`;
}

function none(): Html {
  return html`<div class="card empty">
    <strong>No delivery matches.</strong>
    <p>
      A delivery that was refused (wrong signature, wrong URL) is not listed here: look at “Recent deliveries” in the
      repository's webhook settings on GitHub.
    </p>
  </div>`;
}

function table(deliveries: readonly DeliveryRecord[]): Html {
  return html`<div class="sheet" tabindex="0" role="region" aria-label="Deliveries">
    <table>
      <thead>
        <tr>
          <th scope="col">Event</th>
          <th scope="col">Decision</th>
          <th scope="col" class="wide">About</th>
          <th scope="col" class="wide">By</th>
          <th scope="col" class="wide">Received</th>
        </tr>
      </thead>
      <tbody>
        ${deliveries.map(row)}
      </tbody>
    </table>
  </div>`;
}

function row(delivery: DeliveryRecord): Html {
  return html`<tr>
    <th scope="row">
      ${delivery.event}${delivery.action && html` <strong>${delivery.action}</strong>`}
      <span class="sub wide"><code>${delivery.id}</code></span>
      <span class="sub narrow">${when(delivery.receivedAt)}</span>
      ${delivery.repeats > 0 && html`<span class="sub">delivered ${delivery.repeats + 1} times, counted once</span>`}
    </th>
    <td>
      ${deliveryBadge(delivery.status)}
      <span class="sub">${reasonText(delivery.reason)}</span>
      <span class="sub wide"><code>${delivery.reason}</code></span>
    </td>
    <td class="wide">
      ${
        delivery.issueNumber === null
          ? (delivery.repository ?? '–')
          : issueLink({ repository: delivery.repository, number: delivery.issueNumber })
      }
      ${delivery.runId !== null && html`<span class="sub">requests run ${runLink(delivery.runId)}</span>`}
    </td>
    <td class="wide">${delivery.sender === null ? '–' : `@${delivery.sender}`}</td>
    <td class="wide fit">${when(delivery.receivedAt)}</td>
  </tr>`;
}
