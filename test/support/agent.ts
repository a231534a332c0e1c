/** An agent that does nothing but live, for tests of what starts agents; it claims its attempt as src/app/agent/local-agent.ts does. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const REPOSITORY = join(import.meta.dirname, '../..');

/** How the agent behaves, by a word at the end of its command. */
export type Manner =
  /** Lives until it is asked to stop. */
  | 'live'
  /** Ends at once with code 3. */
  | 'end'
  /** Claims its attempt when there is a file `go` in its directory, and has written its pid to `spawned` there before. */
  | 'slow'
  /** Ends before it has claimed its attempt. */
  | 'crash'
  /** Does not listen when it is asked to stop. */
  | 'deaf'
  /** Has a child that does not listen when it is asked to stop; the child's pid lies in child.pid of its directory. */
  | 'parent';

/** Writes the agent's program into a directory; returns its command. */
export async function writeAgent(directory: string, manner: Manner): Promise<[string, ...string[]]> {
  const script = join(directory, `agent-${manner}.ts`);
  await writeFile(
    script,
    `import { spawn } from 'node:child_process';
import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { claim } from ${JSON.stringify(join(REPOSITORY, 'src/adapters/local-runtime/process-record.ts'))};

const names = ['platform-url', 'token-file', 'workspace', 'attempt-directory'];
const { values } = parseArgs({ options: Object.fromEntries(names.map((name) => [name, { type: 'string' }])) });
const manner = ${JSON.stringify(manner)};
if (manner === 'crash') process.exit(7);
if (manner === 'slow') {
  writeFileSync(join(values['attempt-directory'], 'spawned'), String(process.pid));
  while (!existsSync(join(values['attempt-directory'], 'go'))) await new Promise((resolve) => setTimeout(resolve, 10));
}
if (!(await claim(join(values['attempt-directory'], 'process.json')))) process.exit(0);
process.once('exit', (code) => writeFileSync(join(values['attempt-directory'], 'exit.json'), JSON.stringify({ code })));
appendFileSync(join(values.workspace, 'started.log'), process.pid + '\\n');
writeFileSync(join(values['attempt-directory'], 'seen.json'), JSON.stringify({ ...values, cwd: process.cwd(), env: process.env }));
if (manner === 'end') process.exit(3);
process.on('SIGTERM', () => manner === 'deaf' || process.exit(0));
if (manner === 'parent') {
  const deaf = "process.on('SIGTERM', () => {}); process.stdout.write('ready'); setInterval(() => {}, 1000)";
  const child = spawn(process.execPath, ['-e', deaf], { stdio: ['ignore', 'pipe', 'ignore'] });
  child.stdout.once('data', () => writeFileSync(join(values['attempt-directory'], 'child.pid'), String(child.pid)));
}
writeFileSync(join(values['attempt-directory'], 'ready'), '');
setInterval(() => {}, 1000);
`,
  );
  return [process.execPath, script];
}
