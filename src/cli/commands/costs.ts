/** `costs`: what runs have cost. */
import { dollars } from '../../domain/money/dollars.ts';
import type { CostGroup } from '../../store/money/costs.ts';
import { ago } from '../../../ingress/api/messages/times.ts';
import { printJson, type Session } from '../client/session.ts';
import { printTable, type Cell } from '../../terminal/table.ts';

export interface CostsOptions {
  readonly by?: CostGroup | undefined;
  readonly limit?: number | undefined;
}

/** Lists costs by run, issue, project or day, what was used last first. */
export async function costsList(session: Session, options: CostsOptions): Promise<void> {
  const list = await session.api.costs(options);
  if (session.json) return printJson(session, list);
  if (list.items.length === 0) {
    session.terminal.out('Nothing has been spent yet: no agent has called a model through this platform.');
    return;
  }
  const now = new Date();
  const rows = list.items.map(({ name, cost, calls, prompt, cached, output, lastAt }): Cell[] => [
    { text: name },
    { text: dollars(cost) },
    { text: `${calls}` },
    { text: prompt.toLocaleString('en-US') },
    { text: cached.toLocaleString('en-US') },
    { text: output.toLocaleString('en-US') },
    { text: ago(new Date(lastAt), now) },
  ]);
  printTable(
    session.terminal,
    [list.by.toUpperCase(), 'COST', 'REQUESTS', 'TOKENS READ', 'CACHED', 'WRITTEN', 'LAST'],
    rows,
  );
}
