import { describe, expect, test } from 'vitest';
import { createEventReader } from '../../../../src/agent/cli/claude/events.ts';
import type { CliEvent } from '../../../../src/agent/cli/agent-cli.ts';

const SESSION = '935fb4b2-c15b-4bc2-b520-4d323ee82a68';
const BEGUN = { type: 'system', subtype: 'init', session_id: SESSION, tools: ['Bash'], model: 'claude-sonnet-4-5' };
const USAGE = { input_tokens: 50, cache_creation_input_tokens: 1000, cache_read_input_tokens: 200, output_tokens: 25 };

/** The last event of these lines, as Claude Code 2.1 writes them. */
function last(...events: object[]): CliEvent | undefined {
  const read = createEventReader('/w/repo');
  return events.map((event) => read(JSON.stringify(event))).at(-1);
}

const said = (part: object): object => ({ type: 'assistant', message: { role: 'assistant', content: [part] } });
const calls = (name: string, input: object): object => said({ type: 'tool_use', id: 'toolu_1', name, input });
const got = (content: unknown, is_error = false): object => ({
  type: 'user',
  message: { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content, is_error }] },
});

describe('the events of Claude Code in the log', () => {
  test.each<[string, object[], [string, string][]]>([
    ['a conversation that begins', [BEGUN], [['runner', `Conversation ${SESSION}`]]],
    ['a conversation that is named again', [BEGUN, BEGUN], []],
    ['a message', [said({ type: 'text', text: 'I look around.' })], [['message', 'I look around.']]],
    ['a thought', [said({ type: 'thinking', thinking: 'Hm.', signature: 'x' })], [['reasoning', 'Hm.']]],
    ['a command', [calls('Bash', { command: 'echo hi' })], [['command', '$ echo hi']]],
    [
      'what a command printed, line by line, and that it ended well',
      [calls('Bash', { command: 'x' }), got('one\r\n\ntwo')],
      [
        ['output', 'one'],
        ['output', ''],
        ['output', 'two'],
        ['command', 'exit code 0'],
      ],
    ],
    [
      'a command that failed',
      [calls('Bash', { command: 'x' }), got('Exit code 3\nno such file', true)],
      [
        ['output', 'no such file'],
        ['command', 'exit code 3'],
      ],
    ],
    ['a file that is read', [calls('Read', { file_path: '/w/repo/a.txt' })], [['command', 'read a.txt']]],
    ['a changed file', [calls('Edit', { file_path: '/w/repo/a.txt' }), got('Done')], [['file', 'update a.txt']]],
    [
      'a file that could not be written',
      [calls('Write', { file_path: '/elsewhere/b' }), got('No', true)],
      [['file', 'write /elsewhere/b (failed)']],
    ],
    [
      'the answer, for people',
      [calls('StructuredOutput', { title: 'Add it', summary: 'It is added.', checks: [], answers: [] })],
      [['message', 'Add it\n\nIt is added.']],
    ],
    [
      'the end of a turn, with what it used',
      [{ type: 'result', subtype: 'success', is_error: false, result: 'Done', usage: USAGE }],
      [['runner', 'Turn finished; it has used 1,250 tokens in, 25 out']],
    ],
    [
      'the words of another tool that failed',
      [calls('Other', {}), got([{ type: 'text', text: 'No such tool' }], true)],
      [['error', 'No such tool']],
    ],
    ['a part of a later version', [said({ type: 'dream' })], []],
  ])('%s', (_what, events, expected) => {
    expect(last(...events)?.log.map(({ kind, text }) => [kind, text])).toEqual(expected);
  });

  test('a line that is no event, or one of a later version, is none', () => {
    expect(createEventReader('/')('Segmentation fault')).toBeUndefined();
    expect(last({ type: 'dream' })).toBeUndefined();
  });
});

describe('what a turn of Claude Code says', () => {
  test('is the answer that fits the schema', () => {
    const event = {
      type: 'result',
      subtype: 'success',
      is_error: false,
      result: 'x',
      structured_output: { title: 'T' },
    };
    expect(last(event)?.message).toBe('{"title":"T"}');
  });

  test('is the last message if there is none that fits', () => {
    expect(last({ type: 'result', subtype: 'success', is_error: false, result: 'Done.' })?.message).toBe('Done.');
  });

  test('is why it failed', () => {
    const event = { type: 'result', subtype: 'error_during_execution', is_error: true, errors: ['No conversation'] };
    expect(last(event)).toMatchObject({ failed: 'No conversation' });
  });
});
