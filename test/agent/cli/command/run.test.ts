/** A program of the project's own, from the assignment to the report. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { processesOf } from '../../../../src/agent/process-tree.ts';
import type { Report } from '../../../../src/agent/platform/protocol.ts';
import { runAgent } from '../../../../src/agent/runner/runner.ts';
import { RUN_LIMIT_MS, setStage, textOf, until, type Stage } from '../../support/stage.ts';

const ANSWER = { title: 'Add a note', summary: 'A note was added.', checks: [], answers: [] };
const COMMIT = `echo note >> note.txt && git add --all && git commit --quiet --message 'Add a note'`;

describe('a program of the project’s own', { timeout: RUN_LIMIT_MS }, () => {
  let stage: Stage;
  beforeEach(async () => {
    stage = await setStage();
  });
  afterEach(() => stage[Symbol.asyncDispose]());

  /** A run whose agent is this shell script. */
  async function run(script: string, more: object = {}): Promise<Report> {
    stage.assign({ title: 'A note' }, { cli: 'command', command: ['sh', '-c', script, 'agent'], ...more });
    return stage.run();
  }

  test('gets the prompt on its standard input, and its answer is its last line', async () => {
    const seen = join(stage.directory, 'prompt');
    const report = await run(`cat > '${seen}'; echo 'I add a note.'; ${COMMIT}; echo '${JSON.stringify(ANSWER)}'`);
    expect(await readFile(seen, 'utf8')).toContain('Issue: #7 A note');
    expect(report).toMatchObject({ outcome: 'finished', answer: ANSWER });
    expect(await stage.git('show', 'codex/issue-7:note.txt')).toBe('note');
    expect(stage.platform.log()).toContain('I add a note.');
  });

  test('may say what it does in lines of JSON, and leave its answer in a file', async () => {
    const says = (event: object): string => `echo '${JSON.stringify(event)}'`;
    const report = await run(
      [
        says({ type: 'command', text: '$ make' }),
        says({ type: 'output', text: 'made' }),
        COMMIT,
        `printf '%s' '${JSON.stringify(ANSWER)}' > "$CODEXK8S_ANSWER_FILE"`,
        'echo Bye.',
      ].join('; '),
    );
    expect(report).toMatchObject({ outcome: 'finished', answer: ANSWER });
    expect([...stage.platform.lines.values()].map(({ kind, text }) => [kind, text])).toEqual(
      expect.arrayContaining([
        ['command', '$ make'],
        ['output', 'made'],
        ['message', 'Bye.'],
        ['message', 'Add a note\n\nA note was added.'],
      ]),
    );
  });

  test('is asked once more for an answer that is none', async () => {
    const report = await run(
      `cat; ${COMMIT} || true; [ "$CODEXK8S_RESUME" = false ] || echo '${JSON.stringify(ANSWER)}'`,
    );
    expect(report).toMatchObject({ outcome: 'finished', answer: ANSWER });
  });

  test('that ends with an error fails its run with its words', async () => {
    expect(await run('echo broken >&2; exit 3')).toMatchObject({
      failure: 'agent_failed',
      detail: 'sh ended with exit code 3: broken',
    });
  });

  test('that is not there fails its run', async () => {
    stage.assign({ title: 'A note' }, { cli: 'command', command: ['no-such-agent'] });
    expect(await stage.run()).toMatchObject({
      failure: 'agent_failed',
      detail: expect.stringContaining('no-such-agent ended with exit code 127') as string,
    });
  });

  test('goes on in another workspace with what it kept of its conversation', async () => {
    const remembers = `echo "$CODEXK8S_RESUME" >> "$CODEXK8S_CONVERSATION_FILE"; cat "$CODEXK8S_CONVERSATION_FILE" > turns`;
    const script = `${remembers}; ${COMMIT}; echo '${JSON.stringify(ANSWER)}'`;
    const first = await run(script);
    stage.options.workspace = `${stage.directory}/another-workspace`;
    const second = await run(script, { kind: 'revise', resumeThreadId: first.threadId });
    expect(second).toMatchObject({ outcome: 'finished', threadId: first.threadId });
    expect(await stage.git('show', 'codex/issue-7:turns')).toBe('false\ntrue');
  });

  test('that kept nothing begins anew', async () => {
    const script = `echo "$CODEXK8S_RESUME" > resumed; ${COMMIT}; echo '${JSON.stringify(ANSWER)}'`;
    const first = await run(script);
    const second = await run(script, { kind: 'revise', resumeThreadId: first.threadId });
    expect(second.threadId).not.toBe(first.threadId);
    expect(await stage.git('show', 'codex/issue-7:resumed')).toBe('false');
  });

  test('cannot be given a conversation outside its folder', async () => {
    stage.platform.conversation = { threadId: '../../x', content: '{}\n' };
    await run('true', { resumeThreadId: '../../x' });
    expect(stage.platform.log().join('\n')).toContain('the id of the conversation is not valid); a new one begins');
    expect(await textOf(join(stage.workspace, 'x.jsonl'))).toBeUndefined();
  });

  test('has the model gateway and the token’s file, and the token nowhere', async () => {
    const seen = join(stage.directory, 'environment');
    await run(`env > '${seen}'; ${COMMIT}; echo '${JSON.stringify(ANSWER)}'`);
    const environment = await readFile(seen, 'utf8');
    expect(environment).toContain(`CODEXK8S_MODEL_URL=${stage.platform.url}/model/v1\n`);
    expect(environment).toContain(`CODEXK8S_TOKEN_FILE=${stage.tokenFile}\n`);
    expect(environment).not.toContain(stage.platform.token);
  });

  test('that is stopped leaves no process behind', async () => {
    const mark = `CODEXK8S_AGENT_HOME=${join(stage.workspace, 'command-home')}`;
    stage.assign(
      { title: 'A note' },
      { cli: 'command', command: ['sh', '-c', `echo At work.; setsid sleep 1000 & wait`] },
    );
    const cancel = new AbortController();
    const running = runAgent({ ...stage.options, signal: cancel.signal });
    await until(async () => (await processesOf(mark)).length > 1, 'the program runs');
    cancel.abort();
    await running;
    expect(await processesOf(mark)).toEqual([]);
  });
});
