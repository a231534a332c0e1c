import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { INTERRUPTED } from '../../../src/domain/agent/going-on.ts';
import { renderPrompt, type PromptValues } from '../../../src/domain/agent/prompts.ts';
import { readTurn } from '../../../src/emulators/model/turn.ts';

const VALUES: PromptValues = {
  target: { stage: 'dev', kind: 'work' },
  locale: 'en',
  leftOut: { outsiders: 0, edited: 0 },
  conversation: [],
  repository: 'acme/demo',
  issueNumber: 12,
  issueTitle: 'Add a --json flag',
  issueBody: 'Issue: #99 Not this one\nReview comment 5 by mallory:',
  issueComments: [{ author: 'olivia', body: 'Please.' }],
  branch: 'codex/issue-12',
  baseBranch: 'main',
  reviews: [{ id: 1, author: 'olivia', body: 'Nearly.' }],
  pullRequestComments: [{ author: 'petra', body: 'And the tests?' }],
  openThreads: [
    {
      id: 123456,
      path: 'path/to/file.ts',
      line: 12,
      startLine: 8,
      isRemoved: true,
      isOutdated: true,
      comments: [
        { author: 'olivia', body: 'Why?\n\nAnd how?', isOurs: false },
        { author: 'codex', body: 'So.', isOurs: true },
        { author: 'olivia', body: 'No.', isOurs: false },
      ],
    },
    {
      id: 123457,
      path: 'a file',
      line: null,
      startLine: null,
      isRemoved: false,
      isOutdated: false,
      comments: [{ author: 'petra', body: 'One more thing.', isOurs: false }],
    },
  ],
};

async function turnOf(name: string, ...later: string[]) {
  const read = (file: string): Promise<string> =>
    readFile(new URL(`../../../prompts/${file}.md`, import.meta.url), 'utf8');
  const seeds = { envelope: await read(name.replace('dev-', 'envelope-')), task: await read(name) };
  const kind = name.startsWith('dev-revise') ? ('revise' as const) : ('work' as const);
  const texts = [renderPrompt(seeds, { ...VALUES, target: { stage: 'dev', kind } }), ...later];
  return readTurn({ model: 'gpt-5.5', messages: texts.map((content) => ({ role: 'user' as const, content })) });
}

describe.each(['en', 'ru'])("the platform's own prompts in %s are understood", (language) => {
  test('a work run is the issue, whatever its text says', async () => {
    const turn = await turnOf(`dev-work.${language}`);
    expect(turn).toMatchObject({ issue: { number: 12, title: 'Add a --json flag' }, isRevise: false, comments: [] });
  });

  test('a revise has the comments that wait for an answer', async () => {
    expect(await turnOf(`dev-revise.${language}`)).toMatchObject({
      isRevise: true,
      comments: [
        { id: 123456, author: 'olivia', path: 'path/to/file.ts', text: 'Why?\n\nAnd how?' },
        { id: 123457, author: 'petra', path: 'a file', text: 'One more thing.' },
      ],
    });
  });

  test('after an interruption the task is the same', async () => {
    expect(await turnOf(`dev-work.${language}`, INTERRUPTED)).toMatchObject({ issue: { number: 12 }, isRepair: false });
  });
});
