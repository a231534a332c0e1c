/** The audit trail as a list of sentences. */
import { html } from 'hono/html';
import type { EventRecord } from '../../../src/read-model/queries/events.ts';
import { actorText, eventText } from '../../api/messages/events.ts';
import type { Html } from './layout.ts';
import { runLink } from './links.ts';
import { when } from './times.ts';

const TONES: Readonly<Record<string, string>> = {
  'run.succeeded': 'good',
  'run.pr.created': 'good',
  'pull_request.merged': 'good',
  'run.failed': 'bad',
  'run.not_started': 'bad',
};

/** Events in the given order, with links to their runs or without, for the page of a run. */
export function timeline(events: readonly EventRecord[], runs: 'with runs' | 'without runs'): Html {
  if (events.length === 0) return html`<p class="card muted">Nothing has happened yet.</p>`;
  return html`<ol class="card timeline">
    ${events.map(
      (event) =>
        html`<li class="${TONES[event.type] ?? ''}">
          ${eventText(event)}
          <span class="sub">
            ${when(event.occurredAt)} · ${actorText(event)}
            ${runs === 'with runs' && event.runId !== null && html` · run ${runLink(event.runId)}`}
          </span>
        </li>`,
    )}
  </ol>`;
}
