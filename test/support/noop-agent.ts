/**
 * An agent that costs next to nothing, for load: no Codex, no clone. It claims its attempt and speaks the agent's protocol as
 * the real one does, pushes one commit with one small file through the git gateway, and reports. Set
 * `CODEXK8S_AGENT_COMMAND` to `noopAgentCommand()`.
 *
 * An issue whose text has `wait-for: /some/path` keeps its agent waiting until that file exists; one with `asks-first` has its first
 * agent ask a question; with `calls-tools`, the first asks people by a tool, the second calls one that needs an approval; `--work-ms`
 * is so long at work.
 */
import { spawn } from 'node:child_process';
import { appendFileSync, existsSync, renameSync, writeFileSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { claim } from '../../src/adapters/local-runtime/process-record.ts';
import { connectPlatform, RunOver } from '../../src/agent/platform/platform.ts';
import type { Assignment } from '../../src/agent/platform/protocol.ts';
import { persist } from '../../src/agent/retry.ts';

/**
 * The command for `CODEXK8S_AGENT_COMMAND`. With a journal, every agent appends a line `begin RUN ATTEMPT PID` when it
 * has claimed its attempt, and `end RUN ATTEMPT PID` when its report was taken. With a kill point, the first agent that finds
 * that file renames it to `<file>.fired` and kills the worker that launched it, before it claims its attempt.
 */
export function noopAgentCommand(journal?: string, killPoint?: string): string {
  return JSON.stringify([
    process.execPath,
    fileURLToPath(import.meta.url),
    ...(journal === undefined ? [] : ['--journal', journal]),
    ...(killPoint === undefined ? [] : ['--kill-point', killPoint]),
  ]);
}

interface Arguments {
  readonly platformUrl: string;
  readonly tokenFile: string;
  readonly workspace: string;
  /** `<run>.<attempt>` is its name. */
  readonly attemptDirectory: string;
  readonly journal?: string | undefined;
  readonly killPoint?: string | undefined;
  /** Milliseconds before it does anything. */
  readonly workMs: number;
}

async function work({
  platformUrl,
  tokenFile,
  workspace,
  attemptDirectory,
  journal,
  killPoint,
  workMs,
}: Arguments): Promise<void> {
  const [, run = '', attempt = ''] = /^(.*)\.(\d+)$/.exec(basename(attemptDirectory)) ?? [];
  const note = (what: 'begin' | 'end'): void => {
    if (journal !== undefined) appendFileSync(journal, `${what} ${run} ${attempt} ${process.pid}\n`);
  };
  if (killPoint !== undefined && isReached(killPoint)) process.kill(process.ppid, 'SIGKILL');
  if (!(await claim(join(attemptDirectory, 'process.json')))) {
    process.stdout.write('another process has claimed this attempt: nothing to do\n');
    return;
  }
  process.once('exit', (code) =>
    writeFileSync(join(attemptDirectory, 'exit.json'), JSON.stringify({ code }), { mode: 0o600 }),
  );
  note('begin');
  const token = (await readFile(tokenFile, 'utf8')).trim();
  const platform = connectPlatform({ url: platformUrl, token, signal: new AbortController().signal });
  const assignment = await platform.assignment();
  if (attempt === '1' && assignment.prompt.includes('asks-first')) {
    const { model, reasoningEffort } = assignment;
    const question = { text: 'Which one?', options: ['This', 'That'] };
    await platform.report({
      outcome: 'asked',
      question,
      headSha: null,
      threadId: `noop-${run}`,
      model,
      reasoningEffort,
    });
    return note('end');
  }
  const call = assignment.prompt.includes('calls-tools') ? CALLS[Number(attempt) - 1] : undefined;
  if (call !== undefined) {
    await persist(() => callTool(platformUrl, token, call), {
      isTransient: () => !platform.lost.aborted,
      patienceMs: 5 * 60_000,
    });
    const { model, reasoningEffort } = assignment;
    await platform.report({ outcome: 'parked', headSha: null, threadId: `noop-${run}`, model, reasoningEffort });
    return note('end');
  }
  const flag = /wait-for: (\S+)/.exec(assignment.prompt)?.[1];
  while (flag !== undefined && !existsSync(flag)) await sleep(100);
  await sleep(workMs);
  const headSha = await persist(() => pushOneCommit(assignment, { workspace, tokenFile }), {
    isTransient: () => !platform.lost.aborted,
    patienceMs: 5 * 60_000,
  });
  await platform.report({
    outcome: 'finished',
    answer: {
      title: `Note of run ${run.slice(0, 8)}`,
      summary: 'Adds one file. No agent thought about it.',
      checks: [],
      back_to: '',
      question: null,
      learning: [],
      answers: reviewComments(assignment).map((id) => ({ comment_id: id, answer: 'Noted.' })),
    },
    headSha,
    threadId: `noop-${run}`,
    model: assignment.model,
    reasoningEffort: assignment.reasoningEffort,
  });
  note('end');
}

/** What the agents of an issue with `calls-tools` call, by attempt. */
const CALLS = [
  {
    name: 'user.decision.request',
    arguments: {
      question: 'Which one?',
      options: [
        { option_id: 'this', label: 'This' },
        { option_id: 'that', label: 'That' },
      ],
    },
  },
  { name: 'github_labels_add', arguments: { labels: ['need:qa'] } },
];

/** Calls a tool of the platform that waits for people; fails unless the call waits. */
async function callTool(platformUrl: string, token: string, call: (typeof CALLS)[number]): Promise<void> {
  const response = await fetch(`${platformUrl}/mcp`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2025-06-18',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: call }),
  });
  const answer = await response.text();
  if (!response.ok || !answer.includes('request')) throw new Error(`${call.name}: ${response.status} ${answer}`);
}

/** Whether this process is the one that a kill point was armed for. */
function isReached(killPoint: string): boolean {
  try {
    renameSync(killPoint, `${killPoint}.fired`);
    return true;
  } catch {
    return false;
  }
}

/** The comments that a revise has to answer, by GitHub's ids. */
function reviewComments({ prompt }: Assignment): number[] {
  return [...prompt.matchAll(/^Review comment (\d+) /gm)].map(([, id]) => Number(id));
}

/** Pushes a commit that adds one file, unless an earlier attempt of the run did; answers the branch's head. */
async function pushOneCommit(
  { runId, branch, baseBranch, cloneUrl, author }: Assignment,
  { workspace, tokenFile }: { workspace: string; tokenFile: string },
): Promise<string> {
  const directory = join(workspace, 'noop.git');
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  const git = createGit(directory, cloneUrl, tokenFile);
  await git(['init', '--quiet', '--bare']);
  // A pattern may match nothing: the branch is there only after the first run.
  const wanted = [`+refs/heads/${baseBranch}:refs/base`, `+refs/heads/${branch}*:refs/work/${branch}*`];
  await git(['fetch', '--quiet', '--depth=1', '--no-tags', cloneUrl, ...wanted]);
  const found = await git(['for-each-ref', '--format=%(refname) %(objectname) %(contents:subject)']);
  const tips = new Map(found.split('\n').map((line) => [line.split(' ', 1)[0], line.split(' ').slice(1)]));
  const message = `Note of run ${runId}`;
  const [tip, ...subject] = tips.get(`refs/work/${branch}`) ?? [];
  if (tip !== undefined && subject.join(' ') === message) return tip;
  const from = tip === undefined ? 'refs/base' : `refs/work/${branch}`;
  const identity = `${author.name} <${author.email}> ${Math.floor(Date.now() / 1000)} +0000`;
  const content = `${message}\n`;
  await git(
    ['fast-import', '--quiet'],
    [
      'commit refs/heads/made',
      `committer ${identity}`,
      `data ${message.length}`,
      message,
      `from ${from}^0`,
      `M 100644 inline notes/${runId}.md`,
      `data ${content.length}`,
      content,
      'done',
      '',
    ].join('\n'),
  );
  await git(['push', '--quiet', cloneUrl, `refs/heads/made:refs/heads/${branch}`]);
  return git(['rev-parse', 'refs/heads/made']);
}

/** Git with the run token from its file, as src/agent/git/git.ts runs it, and nothing to guard against: nobody works here. */
function createGit(directory: string, cloneUrl: string, tokenFile: string) {
  const answer = String.raw`IFS= read -r token < '${tokenFile}'; printf 'username=codex-k8s\npassword=%s\n' "$token"`;
  const helper = `!f() { test "$1" = get || return 0; ${answer}; }; f`;
  const settings = ['-c', 'credential.helper=', '-c', `credential.${new URL(cloneUrl).origin}.helper=${helper}`];
  const env = { ...process.env, GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null', GIT_TERMINAL_PROMPT: '0' };
  return (args: readonly string[], input = ''): Promise<string> =>
    new Promise((resolve, reject) => {
      const child = spawn('git', [...settings, ...args], { cwd: directory, env });
      let said = '';
      let complained = '';
      child.stdout.on('data', (chunk: Buffer) => (said += String(chunk)));
      child.stderr.on('data', (chunk: Buffer) => (complained += String(chunk)));
      child.stdin.on('error', () => undefined);
      child.stdin.end(input);
      child.once('error', reject);
      child.once('close', (code) =>
        code === 0 ? resolve(said.trim()) : reject(new Error(`git ${args[0]}: ${complained.trim()}`)),
      );
    });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      'platform-url': { type: 'string', default: '' },
      'token-file': { type: 'string', default: '' },
      workspace: { type: 'string', default: '' },
      'attempt-directory': { type: 'string', default: '' },
      journal: { type: 'string' },
      'kill-point': { type: 'string' },
      'work-ms': { type: 'string', default: '0' },
    },
  });
  process.once('SIGTERM', () => process.exit(143));
  try {
    await work({
      platformUrl: values['platform-url'],
      tokenFile: values['token-file'],
      workspace: values.workspace,
      attemptDirectory: values['attempt-directory'],
      journal: values.journal,
      killPoint: values['kill-point'],
      workMs: Number(values['work-ms']),
    });
    process.exit(0);
  } catch (error) {
    process.stderr.write(`${String(error)}\n`);
    process.exit(error instanceof RunOver ? 77 : 70);
  }
}
