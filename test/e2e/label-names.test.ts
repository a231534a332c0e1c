/** An installation that calls labels otherwise, from the file to the pull request; and the webhook simulator against it. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { COLLEAGUE, OWNER } from '../../src/embedded/accounts.ts';
import { LABELS } from '../../src/domain/stages/labels.ts';
import { eventually, startStack } from '../support/stack.ts';
import { closeScene, openScene, type Scene } from './support/scene.ts';

const CLI = fileURLToPath(new URL('../../src/cli/cli.ts', import.meta.url));
const REPO = 'named';
const directory = mkdtempSync(join(tmpdir(), 'label-names-'));

function labelsFile(name: string, names: Record<string, string>): { CODEXK8S_LABELS_FILE: string } {
  const path = join(directory, name);
  writeFileSync(path, JSON.stringify(names));
  return { CODEXK8S_LABELS_FILE: path };
}

test('names that cannot be used keep `up` from starting, and are listed', async () => {
  await expect(startStack(labelsFile('wrong.json', { 'run:develop': 'x' }))).rejects.toThrow(
    /up ended with 2 [^]*CODEXK8S_LABELS_FILE cannot be used:[^]*“run:develop” is no label of codex-k8s/,
  );
});

describe('an installation that calls labels otherwise', () => {
  let scene: Scene;

  beforeAll(async () => {
    scene = await openScene(labelsFile('names.json', { 'run:dev': 'agent:dev', 'state:in-review': 'look at me' }));
    await scene.bindRepository(REPO);
  });
  afterAll(() => closeScene(scene));

  /** Types a command of the program; returns what it printed, and its exit code. */
  async function codexK8s(...args: string[]): Promise<{ stdout: string; exitCode: number | undefined }> {
    const typed = [CLI, ...args, '--data', scene.stack.directory];
    const { stdout, exitCode } = await execa(process.execPath, typed, { reject: false });
    return { stdout, exitCode };
  }

  async function repositoryLabels(): Promise<string[]> {
    const { octokit } = scene.person;
    const at = { owner: OWNER, repo: REPO, per_page: 100 };
    return (await octokit.paginate(octokit.rest.issues.listLabelsForRepo, at)).map(({ name }) => name);
  }

  test('makes them under those names', async () => {
    const labels = await repositoryLabels();
    expect(labels).toEqual(expect.arrayContaining(['agent:dev', 'look at me', 'run:qa']));
    expect(labels.filter((name) => name === 'run:dev' || name === 'state:in-review')).toEqual([]);
  });

  test('brings them up to date from the command line', async () => {
    await scene.person.octokit.rest.issues.deleteLabel({ owner: OWNER, repo: REPO, name: 'run:qa' });
    await scene.person.octokit.rest.issues.updateLabel({
      owner: OWNER,
      repo: REPO,
      name: 'look at me',
      color: '000000',
    });
    const { stdout, exitCode } = await codexK8s('labels', 'sync', `${OWNER}/${REPO}`);
    expect([exitCode, stdout.split('\n')]).toEqual([
      0,
      [
        'created    run:qa',
        'corrected  look at me',
        `Labels of ${OWNER}/${REPO}: 1 created, 1 corrected, ${LABELS.length - 2} unchanged.`,
      ],
    ]);
  });

  test('does the main job with them', async () => {
    const issue = await scene.person.openIssue(REPO, { title: 'A note', body: 'Write one.' });
    await scene.person.label(REPO, issue, 'agent:dev');
    const run = await scene.ended(REPO, issue);
    expect([run.status, run.failureText]).toEqual(['succeeded', null]);
    const pullRequest = run.pullRequest ?? 0;
    await eventually('the labels of work that waits for a person', async () => {
      const [onIssue, onPull] = await Promise.all([
        scene.person.labels(REPO, issue),
        scene.person.labels(REPO, pullRequest),
      ]);
      return onIssue.join() === 'look at me' && onPull.join() === 'look at me';
    });
  });

  test('names them so in what it says on GitHub', async () => {
    const issue = await scene.person.openIssue(REPO, { title: 'Another note', body: 'Write one.' });
    await scene.person.label(REPO, issue, 'agent:dev');
    const run = await scene.ended(REPO, issue);
    const [comment] = await scene.commentsSaying(REPO, issue, 'Agent run: `agent:dev`');
    expect(comment?.body).not.toMatch(/run:dev(?!:revise)/);
    const { data } = await scene.person.octokit.rest.pulls.get({
      owner: OWNER,
      repo: REPO,
      pull_number: run.pullRequest ?? 0,
    });
    expect(data.body).toContain('Requested with `agent:dev`');
  });

  test('tells by the simulator what a label means', async () => {
    const at = ['--repository', `${OWNER}/${REPO}`, '--issue', '1'];
    const given = await codexK8s('webhook', 'send', 'labeled', ...at, '--label', 'run:dev');
    expect([given.exitCode, given.stdout]).toEqual([
      0,
      expect.stringContaining('No label that starts a run') as string,
    ]);
    const taken = await codexK8s('webhook', 'send', 'labeled', ...at, '--label', 'agent:dev', '--json');
    expect(JSON.parse(taken.stdout)).toMatchObject({
      madeUp: [],
      answers: [{ status: 202, body: { reason: 'platform_owner', run_id: expect.any(String) as string } }],
    });
  });

  test('tells by the simulator what somebody who may only read may not', async () => {
    expect(await codexK8s('members', 'add', COLLEAGUE, '--role', 'read')).toMatchObject({ exitCode: 0 });
    const at = ['--repository', `${OWNER}/${REPO}`, '--issue', '1', '--sender', COLLEAGUE];
    const refused = await codexK8s('webhook', 'send', 'labeled', ...at, '--label', 'agent:dev');
    expect(refused.stdout).toContain("Ignored. The sender's role “read” may not start runs.");
  });
});
