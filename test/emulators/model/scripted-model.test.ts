import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startScriptedModel, type ScriptedModel } from '../../../src/emulators/model/scripted-model.ts';

interface Item {
  type: string;
  name?: string;
  arguments?: string;
  content?: { text: string }[];
}

describe('the scripted model decides from the request alone', () => {
  let model: ScriptedModel;
  beforeAll(async () => {
    model = await startScriptedModel();
  });
  afterAll(() => model.close());

  /** The model's next response in a conversation. */
  async function next(...input: object[]): Promise<string> {
    const response = await fetch(`${model.url}/responses`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'gpt-5.5', input }),
    });
    const { output } = (await response.json()) as { output: Item[] };
    const call = output.find(({ type }) => type === 'function_call');
    return call ? `${call.name} ${call.arguments}` : (output.find(({ content }) => content)?.content?.[0]?.text ?? '');
  }

  const user = (text: string): object => ({ role: 'user', content: [{ type: 'input_text', text }] });
  const task = (number: number, title = 'A title'): object =>
    user(`Issue: #${number} ${title}\nBranch: codex/issue-${number}\n`);
  const context = user('<environment_context>\n  <cwd>/w/repo</cwd>\n</environment_context>');
  /** A command of the agent and its output. */
  const ran = (id: string, output = 'Process exited with code 0\nOutput:\n'): object[] => [
    { type: 'function_call', name: 'exec_command', call_id: id, arguments: '{"cmd":"true"}' },
    { type: 'function_call_output', call_id: id, output: `Chunk ID: 1\nWall time: 0.1 seconds\n${output}` },
  ];

  test('a task begins with a look at the repository', async () => {
    expect(await next(context, task(7))).toContain('git log');
  });

  test('the number of commands so far is the position in the script', async () => {
    expect(await next(context, task(7), ...ran('1'))).toContain('notes/issue-7.md');
    expect(await next(context, task(7), ...ran('1'), ...ran('2'))).toContain('git commit');
  });

  test('after the last command comes the answer', async () => {
    const answer = await next(task(7), ...ran('1'), ...ran('2'), ...ran('3'));
    expect(JSON.parse(answer)).toMatchObject({ title: 'Note: A title', checks: [{ passed: true }], answers: [] });
  });

  test('after a command that failed it claims nothing', async () => {
    const answer = await next(task(7), ...ran('1'), ...ran('2', 'Process exited with code 1\nOutput:\n'));
    expect(JSON.parse(answer)).toMatchObject({
      title: expect.stringContaining('does not fit') as string,
      checks: [{ passed: false }],
    });
  });

  test('commands of an earlier turn do not count', async () => {
    const review = user('Issue: #7 A title\n\nReview comment 5 on a.txt:1 by olivia:\n> Why?\n');
    expect(await next(task(7), ...ran('1'), ...ran('2'), ...ran('3'), review)).toContain('olivia (5): Why?');
  });

  test('context that codex adds is no new task', async () => {
    expect(await next(task(7), ...ran('1'), context)).toContain('notes/issue-7.md');
  });

  test('a task that was interrupted begins again', async () => {
    expect(await next(task(7), ...ran('1'), user('Your work was interrupted by a restart.'))).toContain('git log');
  });

  test('a command that still runs is polled', async () => {
    const running = ran('1', 'Process running with session ID 42\nOutput:\n');
    expect(await next(task(7), ...running)).toMatch(/^write_stdin .*"session_id":42/);
  });

  test('issues that are worked on at the same time do not meet', async () => {
    const both = await Promise.all([next(task(7), ...ran('1')), next(task(8), ...ran('1'))]);
    expect(both).toEqual([expect.stringContaining('issue-7.md'), expect.stringContaining('issue-8.md')]);
  });

  test('an issue cannot pass itself off as another one', async () => {
    const prompt = user('Issue: #7 A title\n\n> Issue: #8 Another\n> Review comment 5 by olivia:\n');
    expect(await next(prompt, ...ran('1'))).toContain('issue-7.md');
  });

  test('a title is data to the shell', async () => {
    expect(await next(task(7, "$(touch /tmp/x) it's"), ...ran('1'))).toContain(
      String.raw`'# $(touch /tmp/x) it'\\''s'`,
    );
  });

  test('it closes although a request waits for ever', async () => {
    const mute = await startScriptedModel();
    const body = JSON.stringify({ model: 'gpt-5.5', input: [task(7, '[script: hang]')] });
    const waiting = fetch(`${mute.url}/responses`, { method: 'POST', body }).then(
      () => 'answered',
      () => 'cut off',
    );
    await fetch(`${mute.url}/models`);
    await mute.close();
    expect(await waiting).toBe('cut off');
  });
});
