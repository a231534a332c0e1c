/** The platform itself, installed in the cluster from deploy/kubernetes, works, and a rolling restart loses nothing. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { prepareLocalPlatform, type LocalPlatform } from '../../deploy/local-cluster/platform.ts';
import type { LogLineView } from '../../ingress/api/views.ts';
import { createApiClient, type ApiClient } from '../../src/api-client/api-client.ts';
import type { Steps } from '../../src/embedded/demo/steps.ts';
import { createPerson } from '../../src/embedded/demo/person.ts';
import { tellStory, type StoryEnd } from '../../src/embedded/demo/story.ts';
import { OWNER } from '../../src/embedded/accounts.ts';
import { issueOfBranch } from '../../src/domain/issue/names.ts';
import { beginnings } from '../e2e/support/agents.ts';

const EMULATORS = fileURLToPath(new URL('support/emulators-process.ts', import.meta.url));

const dataDirectory = inject('clusterDataDirectory');
const directory = mkdtempSync(join(tmpdir(), 'codex-k8s-platform-'));
const kubectl = async (...args: string[]): Promise<string> =>
  (await execa('kubectl', ['--kubeconfig', inject('kubeconfig'), ...args])).stdout;
const secret = (name: string): string => readFileSync(join(directory, 'secrets', name), 'utf8').trim();

const rolledOut = async (): Promise<string> =>
  kubectl('-n', 'codex-k8s', 'rollout', 'status', 'deployment/server', 'deployment/worker', '--timeout=400s');

let emulators: ChildProcess | undefined;
let gitHubUrl = '';
let platform: LocalPlatform;
let end: StoryEnd;

// Only the local cluster is given images here.
const hasCluster = dataDirectory !== '';

beforeAll(async () => {
  if (!hasCluster) return;
  emulators = fork(EMULATORS, [directory, inject('nodeAddress')], { stdio: 'ignore' });
  const [said] = (await once(emulators, 'message')) as [{ gitHubUrl: string; modelUrl: string }];
  ({ gitHubUrl } = said);
  const secrets = join(directory, 'platform-secrets');
  mkdirSync(secrets, { mode: 0o700 });
  writeFileSync(join(secrets, 'github-token'), secret('github-bot-token'));
  writeFileSync(join(secrets, 'model-key'), 'scripted');
  platform = await prepareLocalPlatform({
    dataDirectory,
    gitHubUrl,
    modelUrl: said.modelUrl,
    secrets,
    settings: { CODEXK8S_GITHUB_WRITES_PER_MINUTE: '0', CODEXK8S_GITHUB_WRITES_PER_HOUR: '0' },
  });
  await kubectl('apply', '-k', platform.overlay);
  await rolledOut();
});

afterAll(async () => {
  if (!hasCluster) return;
  // Namespace, accounts and policies belong to other tests too.
  await kubectl('-n', 'codex-k8s', 'delete', 'deployments,statefulsets,services,jobs,networkpolicies,pdb', '--all');
  emulators?.kill();
  rmSync(directory, { recursive: true, force: true });
});

const staffToken = (): string => readFileSync(join(directory, 'platform-secrets', 'staff-token'), 'utf8').trim();
const client = (): ApiClient => createApiClient({ url: platform.url, staffToken: staffToken() });

async function logOf(run: string): Promise<LogLineView[]> {
  const lines: LogLineView[] = [];
  for (let after = -1; ;) {
    const page = await client().runLog(run, { after });
    lines.push(...page.items);
    if (!page.more) return lines;
    ({ after } = page);
  }
}

test.skipIf(!hasCluster)('a run goes through, with a rolling restart in the middle of it', async () => {
  await client().addMember({ login: OWNER, role: 'platform_owner' });
  let restart: Promise<string> | undefined;
  const steps: Steps = {
    chapter: () => undefined,
    note: () => undefined,
    step: async (_, act) =>
      act(() => {
        restart ??= kubectl('-n', 'codex-k8s', 'rollout', 'restart', 'deployment/server', 'deployment/worker');
      }),
  };
  end = await tellStory(
    {
      ready: true,
      url: platform.url,
      githubUrl: gitHubUrl,
      githubOwnerToken: secret('github-owner-token'),
      webhookSecret: '',
      temporalAddress: platform.temporalAddress,
      temporalUi: '',
      databaseUrl: '',
      processes: {},
    },
    staffToken(),
    steps,
  );
  expect(end.runs).toHaveLength(2);
  expect(await restart).toContain('deployment.apps/server restarted');
  await rolledOut();
});

test.skipIf(!hasCluster)('no agent was started twice for a run, rolling restart or not', async () => {
  for (const run of end.runs) expect(beginnings(await logOf(run))).toHaveLength(1);
});

test.skipIf(!hasCluster)('the issue has one pull request, rolling restart or not', async () => {
  const { octokit } = createPerson({ githubUrl: gitHubUrl, login: OWNER, token: secret('github-owner-token') });
  const repo = end.repository.split('/')[1] ?? '';
  const all = { owner: OWNER, repo, state: 'all' as const, per_page: 100 };
  const pulls = await octokit.paginate(octokit.rest.pulls.list, all);
  const ofIssue = pulls.filter(({ head }) => issueOfBranch(head.ref) === end.issue);
  expect(ofIssue.map(({ number }) => number)).toEqual([end.pullRequest]);
});

test.skipIf(!hasCluster)('the doctor in the worker’s pod finds nothing that has failed', async () => {
  const doctor = ['node', '/app/src/cli/cli.ts', 'doctor', '--process', 'worker', '--json'];
  const report = JSON.parse(
    await kubectl('-n', 'codex-k8s', 'exec', 'deployment/worker', '-c', 'worker', '--', ...doctor),
  ) as { findings: { verdict: string; found: string }[] };
  expect(report.findings.filter(({ verdict }) => verdict === 'failed')).toEqual([]);
  // Agents were started, so the worker has tried.
  expect(report.findings.map(({ found }) => found)).toContainEqual(
    expect.stringMatching(/^network policies: enforced/),
  );
});
