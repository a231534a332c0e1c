/** `/issues` and `/runs`: filtered lists, page by page. */
import { html } from 'hono/html';
import { RUN_STATUSES } from '../../../src/domain/run/runs.ts';
import { ISSUE_STATES, type IssueRecord } from '../../../src/read-model/queries/issues.ts';
import type { Page } from '../../../src/read-model/queries/page.ts';
import type { RunRecord } from '../../../src/read-model/queries/runs.ts';
import type { Html } from '../components/layout.ts';
import type { Urls } from '../components/links.ts';
import { issuesTable, runsTable } from '../components/tables.ts';

/** The filter, from the query of the URL. */
export type Chosen = Readonly<Record<string, string>>;

/** The body of the list of issues. */
export function issuesPage(issues: Page<IssueRecord>, chosen: Chosen, urls: Urls): Html {
  return html`<div class="title"><h1>Issues</h1></div>
    ${filterForm('/issues', 'state', ISSUE_STATES, chosen)}
    <section aria-label="Issues" id="issues" data-live>
      ${issues.items.length === 0 ? nothing('issue') : issuesTable(issues.items, urls)}
      ${olderLink('/issues', chosen, issues.next)}
    </section>`;
}

/** The body of the list of runs. */
export function runsPage(runs: Page<RunRecord>, chosen: Chosen, urls: Urls): Html {
  return html`<div class="title"><h1>Runs</h1></div>
    ${filterForm('/runs', 'status', RUN_STATUSES, chosen)}
    <section aria-label="Runs" id="runs" data-live>
      ${runs.items.length === 0 ? nothing('run') : runsTable(runs.items, urls)} ${olderLink('/runs', chosen, runs.next)}
    </section>`;
}

/** The link to the next page of a list, if there is one. */
export function olderLink(path: string, chosen: Chosen, next: string | null): Html {
  if (next === null) return html``;
  const query = new URLSearchParams({ ...chosen, cursor: next });
  return html`<p><a class="button" href="${path}?${query.toString()}">Older</a></p>`;
}

/** The filter of a list, as a form that needs no script. */
export function filterForm(path: string, name: string, values: readonly string[], chosen: Chosen): Html {
  return html`<form class="filter" method="get" action="${path}">
    <label
      >${name === 'state' ? 'State' : 'Status'}
      <select name="${name}">
        <option value="">all</option>
        ${values.map(
          (value) => html`<option value="${value}" ${chosen[name] === value && html`selected`}>${value}</option>`,
        )}
      </select>
    </label>
    ${
      path !== '/deliveries' &&
      html`<label
        >Repository
        <input type="text" name="repository" value="${chosen['repository']}" placeholder="owner/name" />
      </label>`
    }
    <button>Show</button>
  </form>`;
}

function nothing(what: string): Html {
  return html`<p class="card empty muted">
    No ${what} matches. Remove a filter, or see the <a href="/">overview</a>.
  </p>`;
}
