/** Claude Code itself, from the assignment to the report; the model is scripted. */
import { readFile, realpath, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { findTranscript } from '../../../../src/agent/cli/claude/conversation.ts';
import { processesOf } from '../../../../src/agent/process-tree.ts';
import type { Assignment, Report } from '../../../../src/agent/platform/protocol.ts';
import { revisePrompt, RUN_LIMIT_MS, setStage, until, type Stage } from '../../support/stage.ts';

const CLAUDE = { cli: 'claude', model: 'claude-sonnet-4-5' } as const satisfies Partial<Assignment>;
const ISSUE = { number: 7, title: "Don't panic" };

describe(
  'a work run of Claude Code and the revise that follows it in a new environment',
  { timeout: RUN_LIMIT_MS },
  () => {
    let stage: Stage;
    let work: Report;
    let branchAfterWork: string;
    let logAfterWork: string[];
    let conversationAfterWork: { threadId: string; content: string } | undefined;
    let revise: Report;

    beforeAll(async () => {
      stage = await setStage({
        'README.md': '# Demo\n',
        'AGENTS.md': 'Tabs are four spaces here.\n',
        '.claude/settings.json': JSON.stringify({
          hooks: { SessionStart: [{ hooks: [{ type: 'command', command: 'touch hooked' }] }] },
        }),
      });
      stage.assign(ISSUE, CLAUDE);
      work = await stage.run();
      branchAfterWork = await stage.git('rev-parse', 'codex/issue-7');
      logAfterWork = stage.platform.log();
      conversationAfterWork = stage.platform.conversation;

      stage.platform.lines.clear();
      stage.assign(ISSUE, {
        ...CLAUDE,
        kind: 'revise',
        prompt: revisePrompt(ISSUE, [{ id: 4711, path: 'notes/issue-7.md', line: 1, body: 'More detail, please' }]),
        resumeThreadId: work.threadId ?? null,
      });
      stage.options.workspace = `${stage.directory}/another_workspace.of it`;
      revise = await stage.run();
    }, RUN_LIMIT_MS);
    afterAll(() => stage[Symbol.asyncDispose]());

    test('the work is reported finished with the commit at the branch head', () => {
      expect(work).toMatchObject({ outcome: 'finished', headSha: branchAfterWork, model: 'claude-sonnet-4-5' });
    });

    test('commits are those of the assignment’s author, and name nobody else', async () => {
      const commit = await stage.git('log', '-1', '--format=%an <%ae> %cn%n%b', branchAfterWork);
      expect(commit.trim()).toBe('codex-k8s <codex-k8s@example.com> codex-k8s');
    });

    test('the log tells the commands, what they printed and how they ended, and the answer in words', () => {
      expect(logAfterWork).toEqual(
        expect.arrayContaining([
          `Conversation ${work.threadId}`,
          '$ git log --oneline -5 && git ls-files | head -50',
          'README.md',
          'exit code 0',
          expect.stringMatching(/^Note: Don't panic/) as string,
          expect.stringMatching(/^Turn finished; it has used [\d,]+ tokens in/) as string,
        ]),
      );
    });

    test('the conversation is stored under its session', () => {
      expect(conversationAfterWork).toMatchObject({
        threadId: work.threadId,
        content: expect.stringContaining("Don't panic") as string,
      });
    });

    test('the repository’s instructions are read', () => {
      expect(conversationAfterWork?.content).toContain('Tabs are four spaces here.');
    });

    test('the repository’s settings are not: no hook of it was run', () => {
      expect(logAfterWork.join('\n')).not.toContain('hooked');
      expect(work).not.toHaveProperty('notes');
    });

    test('the revise goes on with the same conversation', () => {
      expect(revise.threadId).toBe(work.threadId);
      expect(stage.platform.conversation?.content.match(/"role":"user".*?Issue: #7/g)?.length).toBeGreaterThan(1);
    });

    test('the revise adds to the same branch, and answers every comment', async () => {
      expect(await stage.git('log', '-1', '--format=%P', 'codex/issue-7')).toBe(branchAfterWork);
      expect(revise).toMatchObject({ outcome: 'finished', answer: { answers: [{ comment_id: 4711 }] } });
    });

    test('the token is in no file of its home, only the path of the token file', async () => {
      const home = join(stage.options.workspace, 'claude-home');
      const settings = await readFile(join(home, 'settings.json'), 'utf8');
      expect(settings).toContain(stage.tokenFile);
      expect(settings).not.toContain(stage.platform.token);
      const transcript = await findTranscript(home, work.threadId ?? '');
      expect(transcript?.startsWith(await realpath(home))).toBe(true);
      expect(await readFile(transcript ?? '', 'utf8')).not.toContain(stage.platform.token);
    });
  },
);

describe('Claude Code that misbehaves', { timeout: RUN_LIMIT_MS }, () => {
  let stage: Stage;
  beforeEach(async () => {
    stage = await setStage();
  });
  afterEach(() => stage[Symbol.asyncDispose]());

  test('a refused request is agent_failed, with the words of the API', async () => {
    stage.assign({ title: '[script: exit]' }, CLAUDE);
    expect(await stage.run()).toMatchObject({
      failure: 'agent_failed',
      detail: expect.stringMatching(
        /^claude ended with exit code 1: .*The scripted model was told to refuse this request/,
      ) as string,
    });
  });

  test('prose instead of an answer, twice, is answer_invalid', async () => {
    stage.assign({ title: '[script: not-json]' }, CLAUDE);
    expect(await stage.run()).toMatchObject({ failure: 'answer_invalid' });
    expect(stage.platform.log().filter((text) => text.startsWith('Turn finished'))).toHaveLength(2);
  });

  test('an answer that is right the second time is taken', async () => {
    stage.assign({ title: '[script: repair]' }, CLAUDE);
    expect(await stage.run()).toMatchObject({ outcome: 'finished' });
  });

  test('a silent model is agent_stalled', async () => {
    stage.assign({ title: '[script: hang]' }, { ...CLAUDE, limits: { stallSeconds: 5, runSeconds: 100 } });
    expect(await stage.run()).toMatchObject({ failure: 'agent_stalled' });
  });

  test('a question is asked, and its answer goes into the same conversation', async () => {
    const issue = { title: 'Count words [script: asks]' };
    stage.assign(issue, CLAUDE);
    const asked = await stage.run();
    expect(asked).toMatchObject({ outcome: 'asked', question: { options: ['JSON', 'CSV', 'Plain text'] } });
    const prompt = 'Your question was answered.\n\nQuestion:\n> Which format?\n\nAnswer:\n> CSV\n\nGo on.';
    stage.assign(issue, { ...CLAUDE, prompt, resumeThreadId: asked.threadId ?? null, interrupted: true });
    stage.options.workspace = `${stage.directory}/another-workspace`;
    expect(await stage.run()).toMatchObject({ outcome: 'finished', threadId: asked.threadId });
    expect(await stage.git('show', 'codex/issue-7:reports/issue-7.md')).toContain('Answer: CSV');
  });
});

describe('Claude Code that is stopped in the middle of a command', { timeout: RUN_LIMIT_MS }, () => {
  let stage: Stage;
  let environments: string;
  let before: number[];
  let left: number[];
  let stopped: string | undefined;
  let finished: Report;

  beforeAll(async () => {
    stage = await setStage();
    const go = join(stage.directory, 'go');
    const issue = { title: `[script: wait] ${stage.platform.token}`, body: `wait-for: ${go}` };
    const mark = `CLAUDE_CONFIG_DIR=${join(stage.options.workspace, 'claude-home')}`;
    stage.assign(issue, CLAUDE);
    const cancel = new AbortController();
    const running = runUntil(cancel.signal);
    await until(() => stage.platform.log().some((text) => text.startsWith('$ until')), 'the agent waits');
    const found = async (): Promise<boolean> => (before = await processesOf(mark)).length > 1;
    await until(found, 'the command runs');
    const read = async (pid: number): Promise<string> => {
      const files = [`/proc/${pid}/environ`, `/proc/${pid}/cmdline`];
      return (await Promise.all(files.map((file) => readFile(file, 'utf8').catch(() => '')))).join('\n');
    };
    environments = (await Promise.all(before.map(read))).join('\n');
    cancel.abort();
    await running;
    left = await processesOf(mark);
    stopped = stage.platform.conversation?.content;

    await writeFile(go, '');
    stage.assign(issue, {
      ...CLAUDE,
      resumeThreadId: stage.platform.conversation?.threadId ?? null,
      interrupted: true,
    });
    stage.options.workspace = `${stage.directory}/another-workspace`;
    finished = await stage.run();
  }, RUN_LIMIT_MS);
  afterAll(() => stage[Symbol.asyncDispose]());

  async function runUntil(signal: AbortSignal): Promise<void> {
    const { runAgent } = await import('../../../../src/agent/runner/runner.ts');
    await runAgent({ ...stage.options, signal });
  }

  test('leaves no process behind', () => {
    expect(before.length).toBeGreaterThan(1);
    expect(left).toEqual([]);
  });

  test('shows the token in no environment and no command line', () => {
    expect(environments).toContain('ANTHROPIC_BASE_URL=');
    expect(environments).not.toContain(stage.platform.token);
  });

  test('has its conversation stored, without the token that the issue says', () => {
    expect(stopped).toContain('until [ -e');
    expect(stopped).not.toContain(stage.platform.token);
  });

  test('goes on in another workspace with the same conversation', () => {
    expect(finished).toMatchObject({ outcome: 'finished', threadId: stage.platform.conversation?.threadId });
  });
});
