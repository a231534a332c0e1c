/** `runs logs`: prints and follows an agent's log. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { LogLineView } from '../../../ingress/api/views.ts';
import { ApiAway, ApiRefusal } from '../../api-client/api-client.ts';
import { orNoRun, resolveRunId } from '../client/names.ts';
import type { Session } from '../client/session.ts';
import { paint, plain } from '../../terminal/terminal.ts';

export interface RunsLogsOptions {
  /** Follows the log until the run has ended. */
  readonly follow?: boolean | undefined;
  /** Prints only lines after this line number. */
  readonly after?: number | undefined;
}

const PAGE = 1000;
const POLL_MS = 1000;
/** How long to wait for a server that restarts. */
const PATIENCE_MS = 60_000;

const STYLES: Readonly<Record<string, Parameters<typeof paint>[1]>> = {
  command: ['bold', 'cyan'],
  message: 'bold',
  file: 'green',
  error: 'red',
  reasoning: 'italic',
  runner: 'dim',
  output: 'dim',
};

/** Prints a run's log; with `follow` until the run has ended, also across a restart of the server. */
export async function runsLogs(session: Session, given: string, options: RunsLogsOptions): Promise<void> {
  const { api, terminal } = session;
  const id = await resolveRunId(api, given);
  let after = options.after ?? -1;
  let patience = PATIENCE_MS;
  for (;;) {
    const page = await api.runLog(id, { after, limit: PAGE }).catch((error: unknown) => {
      const passing = error instanceof ApiAway || (error instanceof ApiRefusal && error.status === 503);
      if (!options.follow || !passing || patience <= 0) return orNoRun(given)(error);
      return undefined;
    });
    if (!page) {
      patience -= POLL_MS;
      await sleep(POLL_MS);
      continue;
    }
    patience = PATIENCE_MS;
    for (const line of page.items) printLine(session, line);
    ({ after } = page);
    if (page.more) continue;
    if (!options.follow || page.terminal) {
      if (options.follow && !session.json)
        terminal.error(`The run ${page.status}.`.replace('canceled', 'was canceled'));
      return;
    }
    await sleep(POLL_MS);
  }
}

function printLine({ terminal, json }: Session, line: LogLineView): void {
  if (json) return terminal.out(JSON.stringify(line));
  const [first = '', ...rest] = plain(line.text).split('\n');
  const style = STYLES[line.kind];
  for (const [head, text] of [[line.kind, first], ...rest.map((more) => ['', more])] as [string, string][]) {
    const painted = style === undefined ? text : paint(terminal, style, text);
    terminal.out(`${paint(terminal, 'dim', head.padEnd(9))}  ${painted}`);
  }
}
