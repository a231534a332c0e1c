/** Hostile acts at the agent API. */
import type { Act, Agent, Answer } from '../agent.ts';
import { PLANTED } from '../rig.ts';

const API = '/api/v1/agent';
const REFUSED = 'gateway.refused';
const MIB = 1024 * 1024;

const line = (text: string, n = 0) => ({ n, at: '2026-12-01T12:00:00.000Z', kind: 'output', text });

/** What of secrets was sent and accepted: the status says 409 if it is stored in clear. */
async function hiddenAfter(agent: Agent, sent: Answer, marker: string): Promise<Answer> {
  const rows = await agent.rig.everyRow();
  if (sent.status !== 204 || !rows.includes(marker)) return { status: 500, text: `not stored: ${sent.text}` };
  const shown = agent.rig.secrets.filter((secret) => rows.includes(secret));
  return { status: shown.length === 0 ? 204 : 409, text: `stored ${shown.length === 0 ? 'without it' : 'with it'}` };
}

function act(
  name: string,
  refused: RegExp,
  attempt: Act['attempt'],
  more: Partial<Pick<Act, 'as' | 'audited'>> = {},
): Act {
  return { name, at: 'agent API', as: 'dev', audited: REFUSED, refused, attempt, ...more };
}

export const AGENT_API_ACTS: readonly Act[] = [
  act(
    'reads the conversation of another run by its id',
    /^404 /,
    async (agent) => {
      const asked = [
        `${API}/conversation?runId=${agent.rig.victim.runId}`,
        `${API}/conversation/${agent.rig.victim.runId}`,
      ];
      const answers = await Promise.all(asked.map((path) => agent.ask('GET', path)));
      const stolen = answers.find(({ text }) => text.includes(PLANTED));
      return stolen ? { status: 200, text: 'stolen' } : (answers[0] ?? { status: 0, text: '' });
    },
    { audited: null },
  ),
  act(
    'makes the token of another run out of its own',
    /^(401|429) /,
    async (agent) => {
      const forged = agent.run.token.replace(agent.run.runId, agent.rig.victim.runId);
      return agent.ask('GET', `${API}/assignment`, { headers: { authorization: `Bearer ${forged}` } });
    },
    { audited: null },
  ),
  act(
    'makes the token of its next attempt out of its own',
    /^(401|429) /,
    async (agent) => {
      const forged = agent.run.token.replace(/_1_(?=[0-9a-f]{64}$)/, '_2_');
      return agent.ask('GET', `${API}/assignment`, { headers: { authorization: `Bearer ${forged}` } });
    },
    { audited: null },
  ),
  act(
    'gives its token in the query',
    /^40[01] /,
    async (agent) => agent.ask('GET', `${API}/assignment?token=${agent.run.token}`, { headers: { authorization: '' } }),
    { audited: null },
  ),
  act('goes on after its run is over', /^401 /, async (agent) => agent.ask('GET', `${API}/assignment`), { as: 'over' }),
  act('stores a conversation of 70 MB', /^413 /, async (agent) =>
    agent
      .ask('PUT', `${API}/conversation`, {
        body: new Uint8Array(70 * MIB).fill(120),
        headers: { 'x-thread-id': 'thread', 'content-type': 'application/x-ndjson' },
      })
      .catch(async (error: unknown) => cutOff(error)),
  ),
  act('stores a conversation under a path', /^400 /, async (agent) =>
    agent.ask('PUT', `${API}/conversation`, { body: '{}\n', headers: { 'x-thread-id': '../../etc/passwd' } }),
  ),
  act('sends 5 MB of log lines at once', /^413 /, async (agent) =>
    agent
      .ask('POST', `${API}/log`, { body: { lines: [line('x'.repeat(5 * MIB))] } })
      .catch(async (error: unknown) => cutOff(error)),
  ),
  act('sends log lines without end', /^429 /, async (agent) => {
    const sent = await Promise.all(
      Array.from({ length: 40 }, async (_, n) =>
        agent.ask('POST', `${API}/log`, { body: { lines: [line(`flood ${n}`, n)] } }),
      ),
    );
    return sent.find(({ status }) => status === 429) ?? { status: 204, text: 'all were taken' };
  }),
  act(
    'takes the last numbers of its log, to hide what comes after',
    /^204 .*is there/,
    async (agent) => {
      await patiently(() => agent.ask('POST', `${API}/log`, { body: { lines: [line('far away', 20_000)] } }));
      const text = `what must be seen ${Math.random()}`;
      const sent = await patiently(() => agent.ask('POST', `${API}/log`, { body: { lines: [line(text, 1)] } }));
      return { status: sent.status, text: (await agent.rig.everyRow()).includes(text) ? 'is there' : 'is lost' };
    },
    { audited: null },
  ),
  act('sends a log line with a number beyond all', /^400 /, async (agent) =>
    patiently(() => agent.ask('POST', `${API}/log`, { body: { lines: [line('x', Number.MAX_SAFE_INTEGER)] } })),
  ),
  act(
    "prints its environment, with the platform's secrets and its token",
    /^204 stored without it/,
    async (agent) => {
      const marker = `environment-${Math.random()}`;
      const lines = [marker, ...agent.rig.secrets.slice(0, 6), agent.run.token].map((text, n) =>
        line(`${marker} ${text}`, n),
      );
      const sent = await patiently(() => agent.ask('POST', `${API}/log`, { body: { lines } }));
      return hiddenAfter(agent, sent, marker);
    },
    { audited: null },
  ),
  act(
    'hides a secret in base64 in its log',
    /^204 stored without it/,
    async (agent) => {
      const marker = `encoded-${Math.random()}`;
      const encoded = Buffer.from(`x ${agent.rig.secrets[0]} x`).toString('base64');
      const sent = await patiently(() =>
        agent.ask('POST', `${API}/log`, { body: { lines: [line(`${marker} ${encoded}`)] } }),
      );
      const stored = await hiddenAfter(agent, sent, marker);
      return (await agent.rig.everyRow()).includes(encoded) ? { status: 409, text: 'stored with it' } : stored;
    },
    { audited: null },
  ),
  act(
    'stores a conversation with a secret in it, split over two pieces',
    /^204 stored without it/,
    async (agent) => {
      const marker = `conversation-${Math.random()}`;
      const secret = agent.rig.secrets[0] ?? '';
      const halves = [`{"text":"${marker} ${secret.slice(0, 20)}`, `${secret.slice(20)}"}\n`].map((half) =>
        Buffer.from(half),
      );
      const body = ReadableStream.from(halves) as ReadableStream<Uint8Array>;
      const sent = await patiently(
        () => agent.ask('PUT', `${API}/conversation`, { body, headers: { 'x-thread-id': 'thread' } }),
        1,
      );
      // The other server's conversation of the same run may have replaced it meanwhile.
      return sent.status === 503
        ? { status: 204, text: 'stored without it' }
        : hiddenAfter(agent, sent, 'conversation-');
    },
    { audited: null },
  ),
  act(
    'keeps commits of a run that only reads',
    /^403 /,
    async (agent) => agent.ask('PUT', `${API}/commits`, { body: 'x', headers: { 'x-head-sha': 'a'.repeat(40) } }),
    { as: 'reader' },
  ),
  act('reports what is no report', /^400 /, async (agent) =>
    patiently(() => agent.ask('POST', `${API}/report`, { body: { outcome: 'approved', by: 'octo' } })),
  ),
  act(
    'reports a token as its result',
    /^204 stored without it/,
    async (agent) => {
      const report = {
        outcome: 'failed',
        failure: 'agent_failed',
        detail: `report-of-a-token ${agent.rig.secrets[0]} ${agent.run.token}`,
      };
      const sent = await patiently(() => agent.ask('POST', `${API}/report`, { body: report }));
      return hiddenAfter(agent, sent, 'report-of-a-token');
    },
    { as: 'ops', audited: null },
  ),
];

/** The server closes the connection of a body that is too large, sometimes before its answer is read. */
async function cutOff(error: unknown): Promise<Answer> {
  const code = (error as { cause?: { code?: string } }).cause?.code ?? '';
  if (!/ECONNRESET|EPIPE|UND_ERR_SOCKET/.test(code)) throw error;
  return { status: 413, text: 'the connection was closed' };
}

/** Asks again while the run's own rate is used up: what is looked for comes after it. */
async function patiently(ask: () => Promise<Answer>, tries = 60): Promise<Answer> {
  const answer = await ask();
  if (answer.status !== 429 || tries <= 1) return answer;
  const { promise, resolve } = Promise.withResolvers<void>();
  setTimeout(resolve, 250);
  await promise;
  return patiently(ask, tries - 1);
}
