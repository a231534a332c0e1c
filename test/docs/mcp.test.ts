import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { TOOLS } from '../../src/domain/tools/catalogue.ts';
import { TOOL_DESCRIPTIONS } from '../../src/tools/descriptions.ts';

const WHO = {
  every: 'every run',
  operations: '`ops`, as sre or dev',
  not_self_improve: 'all but `self-improve`',
} as const;

test('docs/mcp.md has the catalogue as it is', () => {
  const document = readFileSync(new URL('../../docs/mcp.md', import.meta.url), 'utf8');
  const rows = [...document.matchAll(/^\| (`[\w.]+` \(.*)$/gm)].map(([, row]) => `| ${row}`);
  expect(rows).toEqual(
    TOOLS.map(
      ({ tool, effect, audience }) =>
        `| \`${tool}\` (${effect}) | ${WHO[audience]} | ${TOOL_DESCRIPTIONS[tool].description} |`,
    ),
  );
});
