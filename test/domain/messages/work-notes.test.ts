import { expect, test } from 'vitest';
import { renderUnwanted, renderWorkNotes } from '../../../src/domain/messages/work-notes.ts';

const NOTHING = { lfsFiles: 0, submodules: [] };

test('says nothing where there is nothing to say', () => {
  expect(renderWorkNotes(undefined, 'en') + renderUnwanted([], 'en')).toBe('');
});

test.each(['en', 'ru'] as const)('names what was held back, in %s', (locale) => {
  const heldBack = [{ path: 'node_modules/', files: 400, reason: 'dependencies' as const }];
  const text = renderWorkNotes({ heldBack, absent: NOTHING }, locale);
  expect(text).toContain('- `node_modules/` (');
  expect(text).toContain('400');
});

test('a path cannot end its code or mention anybody', () => {
  const heldBack = [{ path: '`@olivia\n# Heading', files: 1, reason: 'secret' as const }];
  expect(renderWorkNotes({ heldBack, absent: NOTHING }, 'en')).toContain("- `'@olivia # Heading` (1 file)");
});

test.each(['en', 'ru'] as const)('says which content was absent, in %s', (locale) => {
  const text = renderWorkNotes({ heldBack: [], absent: { lfsFiles: 12, submodules: ['lib/x'] } }, locale);
  expect(text).toContain('12');
  expect(text).toContain('`lib/x`');
});

test.each(['en', 'ru'] as const)('says that an agent had to begin a new conversation, in %s', (locale) => {
  const text = renderWorkNotes({ heldBack: [], absent: NOTHING, lostConversation: 'damaged' }, locale);
  expect(text).toMatch(/checksum|сумма/);
});
