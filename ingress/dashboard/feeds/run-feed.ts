/** The feed of a run's page: its state when it has changed, and every log line once. */
import { isTerminal } from '../../../src/domain/run/runs.ts';
import type { Database } from '../../../src/store/connection/database.ts';
import { readLog } from '../../../src/read-model/queries/log.ts';
import type { Feed } from '../../live/live.ts';
import { logLines } from '../components/log-view.ts';
import { runFragments } from '../pages/run-page.ts';
import type { Viewer } from '../components/layout.ts';
import type { Urls } from '../components/links.ts';
import { readRunDetails } from './sections.ts';

/** Lines in one event: a page of the longest lines must fit into a stream's buffer. */
const LINES = 40;

/** A feed of one run, from the line after `after` on. */
export function runFeed(
  db: Database,
  { urls, viewer }: { readonly urls: Urls; readonly viewer: Viewer },
  runId: string,
  after: number,
): Feed {
  let last = after;
  let shown = '';
  return {
    concerns: ({ kind, key }) => (kind === 'run' || kind === 'log') && key === runId,
    async write(stream) {
      const details = await readRunDetails(db, runId);
      if (!details) return 'over';
      const state = JSON.stringify([details.run, details.queuePosition, details.events.at(-1)?.id]);
      if (state !== shown) stream.send({ event: 'state', data: String(await runFragments(details, urls, viewer)) });
      shown = state;

      let lines = await readLog(db, runId, { after: last, limit: LINES });
      while (lines.length > 0 && !stream.isClosed()) {
        last = lines.at(-1)?.n ?? last;
        stream.send({ event: 'log', data: String(await logLines(lines)), id: String(last) });
        await stream.room();
        lines = await readLog(db, runId, { after: last, limit: LINES });
      }
      if (!isTerminal(details.run.status)) return 'open';
      stream.send({ event: 'end', data: details.run.status });
      return 'over';
    },
  };
}
