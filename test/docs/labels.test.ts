import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { labelsDocument } from '../../deploy/labels-document.ts';
import { LABELS } from '../../src/domain/stages/labels.ts';
import { TRAJECTORIES, STAGES } from '../../src/domain/stages/stages.ts';

const page = readFileSync(new URL('../../docs/labels.md', import.meta.url), 'utf8');

test('docs/labels.md is what `npm run docs:labels` generates', () => {
  expect(page).toBe(labelsDocument());
});

test('it has every label with its description', () => {
  const lines = page.split('\n');
  for (const { name, description } of LABELS)
    expect(
      lines.filter((line) => line.startsWith(`| \`${name}\` |`) && line.endsWith(`| ${description} |`)),
    ).toHaveLength(1);
});

test('it has every stage and every profile', () => {
  for (const { stage } of STAGES) expect(page).toContain(`\n| \`${stage}\` |`);
  for (const { name, stages } of TRAJECTORIES)
    expect(page).toContain(`\n| \`profile:${name}\` | ${stages.join(' → ')} |`);
});

test('no line of its text has more than 125 characters', () => {
  const text = page.split('\n').filter((line) => !line.startsWith('|'));
  expect(text.filter((line) => line.length > 125)).toEqual([]);
});
