import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { labelsDocument } from '../../deploy/labels-document.ts';
import { LABELS } from '../../src/domain/stages/labels.ts';
import { TRAJECTORIES, STAGES } from '../../src/domain/stages/stages.ts';

const page = readFileSync(new URL('../../docs/labels.md', import.meta.url), 'utf8');

test('docs/labels.md says what the tables say; `npm run docs:labels` writes it', () => {
  expect(page).toBe(labelsDocument());
});

test('every label stands in it, with what happens', () => {
  const lines = page.split('\n');
  for (const { name, description } of LABELS)
    expect(
      lines.filter((line) => line.startsWith(`| \`${name}\` |`) && line.endsWith(`| ${description} |`)),
    ).toHaveLength(1);
});

test('every stage and every profile stand in it', () => {
  for (const { stage } of STAGES) expect(page).toContain(`\n| \`${stage}\` |`);
  for (const { name, stages } of TRAJECTORIES)
    expect(page).toContain(`\n| \`profile:${name}\` | ${stages.join(' → ')} |`);
});

test('no line of its text is longer than a line may be', () => {
  const text = page.split('\n').filter((line) => !line.startsWith('|'));
  expect(text.filter((line) => line.length > 125)).toEqual([]);
});
