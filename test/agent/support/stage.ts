/** Everything that a run needs, real where it can be: a bare repository, a platform, a model, a workspace and a token file. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import type { Assignment, Report } from '../../../src/agent/platform/protocol.ts';
import { createAgentCli } from '../../../src/app/agent/agent-clis.ts';
import { runAgent, type RunAgentOptions } from '../../../src/agent/runner/runner.ts';
import { startScriptedModel } from '../../../src/emulators/model/scripted-model.ts';
import { startPlatform, type TestPlatform } from './platform.ts';

/** Longer than all that a test waits for within it. */
export const RUN_LIMIT_MS = 300_000;

export interface Stage extends AsyncDisposable {
  readonly directory: string;
  readonly workspace: string;
  readonly tokenFile: string;
  readonly platform: TestPlatform;
  /** What `runAgent` needs. */
  readonly options: RunAgentOptions & { workspace: string };
  /** Runs git in the bare repository. */
  git(...args: string[]): Promise<string>;
  /** Makes the next run's assignment: a work run on an issue, unless told otherwise. */
  assign(issue: { title: string; body?: string }, more?: Partial<Assignment>): Assignment;
  /** One run in this process; answers its report. */
  run(): Promise<Report>;
  /** Ends the model and starts another, which knows nothing of the first. */
  restartModel(): Promise<void>;
  /** Somebody else pushes a commit to a branch. */
  pushByHand(branch: string): Promise<string>;
}

/** Sets the stage with a repository that holds these files; without `convert`, whatever their attributes say. */
export async function setStage(
  files: Record<string, string> = { 'README.md': '# Demo\n' },
  { convert = true, tls }: { convert?: boolean; tls?: { cert: string; key: string } } = {},
): Promise<Stage> {
  const directory = await mkdtemp(join(tmpdir(), 'agent-'));
  const workspace = join(directory, 'workspace');
  const tokenFile = join(directory, 'token');
  const token = `run-token-${crypto.randomUUID()}`;
  await mkdir(workspace);
  await writeFile(tokenFile, `${token}\n`, { mode: 0o600 });
  const bare = join(directory, 'git', 'demo.git');
  await makeRepository(bare, join(directory, 'seed'), files, convert);

  let model = await startScriptedModel();
  const platform = await startPlatform({ token, gitRoot: dirname(bare), modelUrl: () => model.url, tls });
  const options = { platformUrl: platform.url, tokenFile, workspace, createCli: createAgentCli };

  async function git(...args: string[]): Promise<string> {
    return (await execa('git', args, { cwd: bare, env: CLEAN })).stdout;
  }

  return {
    directory,
    workspace,
    tokenFile,
    platform,
    options,
    git,
    assign(issue, more = {}) {
      platform.assignment = { ...assignmentFor(platform, issue), ...more };
      return platform.assignment;
    },
    async run() {
      const before = platform.reports.length;
      const code = await runAgent(options);
      const report = platform.reports[before];
      if (code !== 0 || !report) throw new Error(`the runner ended with ${code}: ${platform.log().join('\n')}`);
      return report;
    },
    async pushByHand(branch) {
      const tree = await git('rev-parse', 'main^{tree}');
      const commit = await git('commit-tree', tree, '-p', 'main', '-m', 'By hand');
      await git('update-ref', `refs/heads/${branch}`, commit);
      return commit;
    },
    async restartModel() {
      await model.close();
      model = await startScriptedModel();
    },
    async [Symbol.asyncDispose]() {
      await platform.goAway();
      await model.close();
      await rm(directory, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

const CLEAN = {
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'olivia',
  GIT_AUTHOR_EMAIL: 'olivia@example.com',
  GIT_COMMITTER_NAME: 'olivia',
  GIT_COMMITTER_EMAIL: 'olivia@example.com',
};

async function makeRepository(
  bare: string,
  seed: string,
  files: Record<string, string>,
  convert: boolean,
): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(seed, path)), { recursive: true });
    await writeFile(join(seed, path), content);
  }
  const git = execa({ cwd: seed, env: CLEAN });
  await git`git init --quiet --initial-branch main`;
  if (!convert) await writeFile(join(seed, '.git', 'info', 'attributes'), '* -text\n');
  await git`git add --all`;
  await git`git commit --quiet --message ${'The beginning'}`;
  await git`git clone --quiet --bare . ${bare}`;
}

/** The prompt of a work run, with the lines that prompts/dev-work.en.md has. */
export function workPrompt(issue: { number: number; title: string; body?: string }): string {
  const quoted = (issue.body ?? 'Please.').replaceAll(/^/gm, '> ');
  return `Repository: acme/demo\nIssue: #${issue.number} ${issue.title}\nBranch: codex/issue-${issue.number}\n\n${quoted}\n`;
}

/** The prompt of a revise, with the lines that prompts/dev-revise.en.md has. */
export function revisePrompt(
  issue: { number: number; title: string; body?: string },
  comments: readonly { id: number; path: string; line: number; body: string }[],
): string {
  const texts = comments.map(
    ({ id, path, line, body }) => `Review comment ${id} on ${path}:${line} by olivia:\n> ${body}\n`,
  );
  return `${workPrompt(issue)}\nThe review:\n\nReview 1 by olivia:\n> Please change this.\n\n${texts.join('\n')}\nGo on.\n`;
}

function assignmentFor(platform: TestPlatform, issue: { title: string; body?: string }): Assignment {
  return {
    runId: 'run-1',
    repository: 'acme/demo',
    cloneUrl: `${platform.url}/git/demo.git`,
    branch: 'codex/issue-7',
    since: null,
    baseBranch: 'main',
    kind: 'work',
    prompt: workPrompt({ number: 7, ...issue }),
    cli: 'codex',
    model: 'gpt-5.5',
    reasoningEffort: 'medium',
    modelBaseUrl: `${platform.url}/model/v1`,
    resumeThreadId: null,
    interrupted: false,
    firstLogLine: 0,
    author: { name: 'codex-k8s', email: 'codex-k8s@example.com' },
    limits: { stallSeconds: 60, runSeconds: 120 },
  };
}

/** Waits until something is so. */
export async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`never: ${what}`);
    await delay(20);
  }
}

/** A file's text, or undefined when it is not there. */
export async function textOf(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}
