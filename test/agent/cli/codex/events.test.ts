import { describe, expect, test } from 'vitest';
import { describeEvent, readEvent } from '../../../../src/agent/cli/codex/events.ts';
import type { LogEntry } from '../../../../src/agent/platform/log-line.ts';

/** The lines of one recorded event of codex 0.169. */
function lines(event: object): LogEntry[] {
  const read = readEvent(JSON.stringify(event));
  return read ? describeEvent(read, '/w/repo') : [];
}

function command(shell: string): object {
  return {
    id: 'item_1',
    type: 'command_execution',
    command: shell,
    aggregated_output: '',
    exit_code: null,
    status: 'in_progress',
  };
}

describe('the events of codex in the log', () => {
  test.each<[string, object, LogEntry[]]>([
    [
      'a conversation that begins',
      { type: 'thread.started', thread_id: '01a1' },
      [{ kind: 'runner', text: 'Conversation 01a1' }],
    ],
    [
      'a command, as a person would type it',
      { type: 'item.started', item: command("/bin/bash -c 'echo hi'") },
      [{ kind: 'command', text: '$ echo hi' }],
    ],
    [
      'a command in double quotes',
      { type: 'item.started', item: command('/bin/bash -lc "echo \\"it\'s \\$5\\""') },
      [{ kind: 'command', text: '$ echo "it\'s $5"' }],
    ],
    [
      'what a command printed, line by line, and its exit code',
      {
        type: 'item.completed',
        item: { ...command('/bin/bash -c x'), aggregated_output: 'one\r\n\ntwo\n', exit_code: 3 },
      },
      [
        { kind: 'output', text: 'one' },
        { kind: 'output', text: '' },
        { kind: 'output', text: 'two' },
        { kind: 'command', text: 'exit code 3' },
      ],
    ],
    [
      'changed files, relative to the repository',
      {
        type: 'item.completed',
        item: {
          type: 'file_change',
          status: 'completed',
          changes: [
            { path: '/w/repo/a.txt', kind: 'add' },
            { path: '/elsewhere/b', kind: 'delete' },
          ],
        },
      },
      [
        { kind: 'file', text: 'add a.txt' },
        { kind: 'file', text: 'delete /elsewhere/b' },
      ],
    ],
    [
      'a message',
      { type: 'item.completed', item: { type: 'agent_message', text: 'I look around.' } },
      [{ kind: 'message', text: 'I look around.' }],
    ],
    [
      'the final answer, for people',
      {
        type: 'item.completed',
        item: {
          type: 'agent_message',
          text: JSON.stringify({ title: 'Add it', summary: 'It is added.', checks: [], answers: [] }),
        },
      },
      [{ kind: 'message', text: 'Add it\n\nIt is added.' }],
    ],
    [
      'a thought',
      { type: 'item.completed', item: { type: 'reasoning', text: 'Hm.' } },
      [{ kind: 'reasoning', text: 'Hm.' }],
    ],
    [
      'an error of the API, without its envelope',
      { type: 'error', message: '{"error":{"message":"No budget left."}}' },
      [{ kind: 'error', text: 'No budget left.' }],
    ],
    [
      'the end of a turn, with what it used',
      { type: 'turn.completed', usage: { input_tokens: 12345, output_tokens: 67 } },
      [{ kind: 'runner', text: 'Turn finished; the conversation has used 12,345 tokens in, 67 out' }],
    ],
    ['an event of a later version', { type: 'turn.paused' }, []],
    ['an item of a later version', { type: 'item.completed', item: { type: 'dream' } }, []],
  ])('%s', (_what, event, expected) => {
    expect(lines(event)).toEqual(expected);
  });

  test('a line that is not JSON is no event', () => {
    expect(readEvent('Segmentation fault')).toBeUndefined();
  });
});
