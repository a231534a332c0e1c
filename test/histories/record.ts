/** Records histories: `node test/histories/record.ts VERSION`. Tells some stories on a fresh stack and keeps what Temporal kept. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { agentEnvironment } from '../../src/app/agent/agent-command.ts';
import { createPerson } from '../../src/embedded/demo/person.ts';
import type { IssueDetailsView } from '../../ingress/api/views.ts';
import { createApiClient } from '../../src/api-client/api-client.ts';
import { until } from '../../src/embedded/demo/until.ts';
import { createSteps } from '../../src/embedded/demo/steps.ts';
import { tellStory } from '../../src/embedded/demo/story.ts';
import { readHistory } from '../../src/cli/histories/replay.ts';
import { BOT, OWNER } from '../../src/embedded/accounts.ts';
import { createTerminal } from '../../src/terminal/style.ts';
import { startStack } from '../../src/embedded/start.ts';
import { PERMITS_WORKFLOW_ID } from '../../workflows/messages.ts';
import { recordOnStage } from './stage.ts';

/** A process of this machine, as workers and clients name themselves. */
const RECORDER = new RegExp(`\\d+@${hostname().replaceAll('.', '\\.')}`, 'g');

const [version = 'unreleased'] = process.argv.slice(2);
const data = await mkdtemp(join(tmpdir(), 'codex-k8s-histories-'));
const terminal = createTerminal();
const stack = await startStack({
  data,
  self: [fileURLToPath(new URL('../../src/cli/cli.ts', import.meta.url))],
  env: process.env,
  report: terminal.progress,
  path: agentEnvironment()['PATH'] ?? '',
});
const { ready } = stack;

/** Where this build is, as stack traces name it. */
const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/** Writes a history, one event a line; the machine that recorded it is left out. */
async function write(scenario: string, workflowId: string, history: string): Promise<void> {
  const clean = history.replaceAll(RECORDER, 'recorder').replaceAll(ROOT, '/app');
  const foreign = /file:\/\/\/(?!app\/)[^"\\]*/.exec(clean);
  if (foreign) throw new Error(`${scenario}: a worker of another build took part (${foreign[0]}); record again`);
  const { events } = JSON.parse(clean) as { events: unknown[] };
  const lines = events.map((event) => JSON.stringify(event)).join(',\n');
  const file = new URL(`${scenario}-${version}.json`, import.meta.url);
  await writeFile(file, `{"workflowId":${JSON.stringify(workflowId)},"history":{"events":[\n${lines}\n]}}\n`);
  terminal.line(`${scenario}: ${workflowId}`);
}

async function keep(scenario: string, workflowId: string): Promise<void> {
  const history = await readHistory({ address: ready.temporalAddress, namespace: 'codex-k8s' }, workflowId);
  await write(scenario, workflowId, history);
}

type Shown = Pick<IssueDetailsView, 'key' | 'state' | 'workspace' | 'queued' | 'runs'>;

try {
  const staffToken = (await readFile(join(data, 'secrets', 'staff-token'), 'utf8')).trim();
  const person = createPerson({ githubUrl: ready.githubUrl, login: OWNER, token: ready.githubOwnerToken });
  const platform = createApiClient({ url: ready.url, staffToken });

  const told = await tellStory(ready, staffToken, createSteps(terminal));
  const [work = '', revise = ''] = told.runs;
  const { key } = await platform.issue({ owner: OWNER, name: told.repository.split('/')[1] ?? '', number: told.issue });
  await keep('issue-merged', key);
  await keep('run-work', `run:${work}`);
  await keep('run-revise', `run:${revise}`);

  const repo = 'stories';
  await person.pushRepository(repo, 'For stories', [{ path: 'README.md', content: '# Stories\n', executable: false }]);
  await person.addCollaborator(repo, BOT);
  await platform.bindRepository({ fullName: `${OWNER}/${repo}` });
  const look = (issue: number): Promise<Shown> =>
    platform
      .issue({ owner: OWNER, name: repo, number: issue })
      .catch(() => ({ key: '', state: 'waiting', workspace: null, queued: 0, runs: [] }));
  const ended = (issue: number, count: number): Promise<Shown> =>
    until(`${count} ended runs of #${issue}`, 60_000, async () => {
      const shown = await look(issue);
      return shown.runs.filter(({ terminal: over }) => over).length === count && shown;
    });

  const failing = await person.openIssue(repo, { title: '[script: nothing] Change nothing', body: '' });
  await person.label(repo, failing, 'run:dev');
  const failed = await ended(failing, 1);
  await keep('run-failed', `run:${failed.runs[0]?.id}`);

  const waiting = await person.openIssue(repo, {
    title: '[script: wait] Wait',
    body: `wait-for: ${join(data, 'never')}`,
  });
  await person.label(repo, waiting, 'run:dev');
  await until('an agent at work', 60_000, async () => (await look(waiting)).runs[0]?.status === 'working');
  await person.octokit.rest.issues.removeLabel({ owner: OWNER, repo, issue_number: waiting, name: 'run:dev' });
  await person.label(repo, waiting, 'run:dev');
  const canceled = await ended(waiting, 1);
  await keep('run-canceled', `run:${canceled.runs.find(({ status }) => status === 'canceled')?.id}`);
  await until('the second run', 60_000, async () =>
    (await look(waiting)).runs.some(({ status }) => status === 'working'),
  );
  await person.octokit.rest.issues.update({ owner: OWNER, repo, issue_number: waiting, state: 'closed' });
  const closed = await until('the end', 60_000, async () => {
    const shown = await look(waiting);
    return shown.state === 'closed' && shown.workspace === null && shown;
  });
  await keep('issue-relabeled-and-closed', closed.key);

  const staged = await person.openIssue(repo, { title: 'A service', body: '[rethink: vision]' });
  for (const [count, stage] of ['intake', 'vision', 'rethink', 'vision'].entries()) {
    await person.label(repo, staged, `run:${stage}`);
    await ended(staged, count + 1);
    await until(
      'the label is taken off',
      60_000,
      async () => !(await person.labels(repo, staged)).includes(`run:${stage}`),
    );
  }
  await keep('issue-stages', (await look(staged)).key);

  const refused = await person.openIssue(repo, { title: 'Not its turn', body: '' });
  await person.label(repo, refused, 'run:qa');
  await until('the refusal', 60_000, async () => (await person.comments(repo, refused)).length > 0);
  await person.octokit.rest.issues.removeLabel({ owner: OWNER, repo, issue_number: refused, name: 'run:qa' });
  await person.label(repo, refused, 'run:intake');
  await keep('issue-refused', (await ended(refused, 1)).key);

  const talk = await person.openIssue(repo, { title: 'What would be best?', body: '' });
  await person.label(repo, talk, 'mode:discussion');
  await ended(talk, 1);
  await person.octokit.rest.issues.createComment({ owner: OWNER, repo, issue_number: talk, body: 'And tabs?' });
  const talked = await ended(talk, 2);
  await keep('issue-discussed', talked.key);
  await keep('run-discussion', `run:${talked.runs[0]?.id}`);

  const asking = await person.openIssue(repo, { title: 'Report the words [script: asks]', body: '' });
  await person.label(repo, asking, 'run:dev');
  const waits = async (issue: number): Promise<boolean> => (await look(issue)).runs[0]?.status === 'waiting';
  await until('a question', 60_000, () => waits(asking));
  await person.octokit.rest.issues.createComment({ owner: OWNER, repo, issue_number: asking, body: '2' });
  const answered = await ended(asking, 1);
  await keep('run-question-answered', `run:${answered.runs[0]?.id}`);
  await keep('issue-question-answered', answered.key);

  const held = await person.openIssue(repo, { title: '[script: wait] Wait', body: `wait-for: ${join(data, 'go')}` });
  await person.label(repo, held, 'run:dev');
  const working = await until('an agent at work', 60_000, async () => {
    const [run] = (await look(held)).runs;
    return run?.status === 'working' && run;
  });
  await platform.pauseRun(working.id, { reason: 'the release' });
  await until('the pause', 60_000, () => waits(held));
  await writeFile(join(data, 'go'), '');
  await platform.resumeRun(working.id, { note: 'Go on.' });
  const resumed = await ended(held, 1);
  await keep('run-paused', `run:${working.id}`);
  await keep('issue-paused', resumed.key);

  await keep('permits', PERMITS_WORKFLOW_ID);
} finally {
  await stack.stop();
  await rm(data, { recursive: true, force: true });
}

await recordOnStage(write);
