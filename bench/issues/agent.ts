/**
 * The agents of `npm run bench:issues`: the no-op agent, so that whole runs can be counted, after a few seconds of work; but for
 * an issue whose text says so it claims its attempt and reports at once that it failed, where only the taking up of reviews is
 * measured.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ENDS_AT_ONCE } from './marks.ts';
import { claim } from '../../src/adapters/local-runtime/process-record.ts';

/** Status comments are written at most every two seconds: no real agent is over before its run's last one may be. */
const WORK_MS = 5000;

const { values } = parseArgs({
  strict: false,
  options: {
    'platform-url': { type: 'string' },
    'token-file': { type: 'string' },
    'attempt-directory': { type: 'string' },
  },
});
const attemptDirectory = String(values['attempt-directory']);
const headers = {
  authorization: `Bearer ${readFileSync(String(values['token-file']), 'utf8').trim()}`,
  'content-type': 'application/json',
};

async function call(path: string, body?: object): Promise<Response> {
  const init = body === undefined ? { headers } : { method: 'POST', headers, body: JSON.stringify(body) };
  return fetch(`${String(values['platform-url'])}/api/v1/agent/${path}`, init);
}

async function fail(): Promise<void> {
  if (!(await claim(join(attemptDirectory, 'process.json')))) return;
  process.once('exit', (code) =>
    writeFileSync(join(attemptDirectory, 'exit.json'), JSON.stringify({ code }), { mode: 0o600 }),
  );
  const answer = await call('report', {
    outcome: 'failed',
    failure: 'agent_failed',
    detail: 'It is only a benchmark.',
  });
  if (!answer.ok) throw new Error(`the report was answered ${answer.status}`);
}

const { prompt } = (await (await call('assignment')).json()) as { prompt: string };
if (prompt.includes(ENDS_AT_ONCE)) {
  await fail();
} else {
  const agent = fileURLToPath(import.meta.resolve('../../test/support/noop-agent.ts'));
  process.argv.splice(1, 1, agent, '--work-ms', `${WORK_MS}`);
  await import(agent);
}
