import { expect, test } from 'vitest';
import { TOOLS, toolRow, toolsFor } from '../../../src/domain/tools/catalogue.ts';

test('a run of ops has the tools that change secrets and databases', () => {
  expect(toolsFor({ stage: 'ops', kind: 'work' })).toEqual(
    expect.arrayContaining(['secret.sync.github_k8s', 'database.lifecycle', 'owner.feedback.request']),
  );
});

test('a run of dev has none of them', () => {
  const audiences = toolsFor({ stage: 'dev', kind: 'work' }).map((tool) => toolRow(tool).audience);
  expect(new Set(audiences)).toEqual(new Set(['every', 'not_self_improve']));
});

test('a self-improve run does not speak to people', () => {
  const tools = toolsFor({ stage: 'self-improve', kind: 'work' });
  expect(tools).not.toContain('user.notify');
});

test('no two tools have the same name', () => {
  expect(new Set(TOOLS.map(({ tool }) => tool)).size).toBe(TOOLS.length);
});
