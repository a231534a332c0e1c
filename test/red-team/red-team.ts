/** `npm run red-team`: does every hostile act at two servers, and prints what became of it. Fails when one got through. */
import { printTable } from '../../src/terminal/table.ts';
import { processTerminal } from '../../src/terminal/terminal.ts';
import { ACTS, perform, type Outcome } from './acts.ts';
import { startRig } from './rig.ts';

await using rig = await startRig();
const outcomes: Outcome[] = [];
for (const act of ACTS) outcomes.push(await perform(rig, act));

const rows = outcomes.map(({ act, said, refused, audited }) => [
  { text: act.at },
  { text: `The agent ${act.name}` },
  { text: refused ? 'refused' : 'GOT THROUGH' },
  { text: act.audited === null ? '' : audited ? act.audited : 'NOT RECORDED' },
  { text: (said[0] ?? '').slice(0, 60) },
]);
printTable(processTerminal(), ['at', 'act', 'outcome', 'event', 'answer'], rows);
const bad = outcomes.filter(({ refused, audited }) => !refused || !audited).length;
process.stdout.write(
  `${outcomes.length} acts at ${rig.servers.length} servers, ${bad} of them not refused or not recorded\n`,
);
if (bad > 0) process.exitCode = 1;
