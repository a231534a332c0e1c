/**
 * The no-op agent, which first notes when it began. With `--bare` it does nothing else: what starting a process costs
 * without a platform.
 */
const firstInstruction = performance.timeOrigin + performance.now();

export interface Beginning {
  /** When the process began, by Node's own clock, in ms since 1970. */
  readonly begun: number;
  /** When the first statement of the agent ran, in ms since 1970. */
  readonly firstInstruction: number;
}

const { writeFileSync } = process.getBuiltinModule('node:fs');
const place = process.argv[process.argv.indexOf('--attempt-directory') + 1] ?? '';
const beginning: Beginning = { begun: performance.timeOrigin, firstInstruction };
writeFileSync(`${place}/beginning.json`, JSON.stringify(beginning));

if (!process.argv.includes('--bare')) {
  const agent = process
    .getBuiltinModule('node:url')
    .fileURLToPath(import.meta.resolve('../../test/support/noop-agent.ts'));
  process.argv[1] = agent;
  await import(agent);
}
