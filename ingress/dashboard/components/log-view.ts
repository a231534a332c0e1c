/** The run log, line by line; each line has a URL fragment. */
import { html } from 'hono/html';
import { isTerminal } from '../../../src/domain/run/runs.ts';
import type { LogRecord } from '../../../src/read-model/queries/log.ts';
import type { RunRecord } from '../../../src/read-model/queries/runs.ts';
import type { Html } from './layout.ts';
import { exact } from '../../api/messages/times.ts';

/** The lines that a page shows. */
export interface LogWindow {
  readonly lines: readonly LogRecord[];
  /** True if these are the last lines so far. */
  readonly atEnd: boolean;
}

/** Lines on a page. */
export const LOG_PAGE = 500;

/** Log lines as list items. */
export function logLines(lines: readonly LogRecord[]): Html {
  return html`${lines.map(
    ({ n, at, kind, text }) =>
      html`<li id="L${n}" class="${kind}">
        <a class="n" href="#L${n}" title="${exact(at)}">${n}</a><span class="kind">${kind}</span
        ><span class="text">${text}</span>
      </li>`,
  )}`;
}

/** The section of the run's page. Without JavaScript it is a static page with links to older and newer lines. */
export function logSection(run: Pick<RunRecord, 'id' | 'status'>, { lines, atEnd }: LogWindow): Html {
  const first = lines[0]?.n ?? 0;
  const last = lines.at(-1)?.n ?? -1;
  const grows = !isTerminal(run.status);
  return html`<section aria-labelledby="log-heading">
    <div class="heading">
      <h2 id="log-heading">Log</h2>
      ${atEnd && grows && html`<label hidden><input type="checkbox" id="follow" checked /> Follow</label>`}
    </div>
    ${
      first > 0 &&
      html`<p><a href="/runs/${run.id}?after=${Math.max(-1, first - LOG_PAGE - 1)}#log-heading">Older lines</a></p>`
    }
    <div class="sheet">
      ${lines.length === 0 && html`<p id="log-empty" class="empty muted">${emptyText(run)}</p>`}
      <ol id="log" class="log" tabindex="0" aria-label="Log of the agent" ${lines.length === 0 && html`hidden`}>
        ${logLines(lines)}
      </ol>
    </div>
    ${(grows || !atEnd) && html`<p><a href="/runs/${run.id}?after=${last}#log-heading">Newer lines</a></p>`}
  </section>`;
}

function emptyText({ status }: Pick<RunRecord, 'status'>): string {
  if (status === 'queued') return 'The run is queued; there is no log yet.';
  return isTerminal(status) ? 'There are no more lines.' : 'There are no new lines yet.';
}
