import { expect, test } from 'vitest';
import { readTemporalDev } from '../../src/embedded/temporal/dev-settings.ts';
import { searchAttributes } from '../../workflows/messages.ts';

test('a development server has exactly the search attributes that workflows set', () => {
  const dev = readTemporalDev(new URL('../../temporal-dev.yaml', import.meta.url));
  const set = Object.fromEntries(Object.values(searchAttributes).map(({ name, type }) => [name, type]));
  const has = Object.fromEntries(
    Object.entries(dev.searchAttributes).map(([name, type]) => [name, type.toUpperCase()]),
  );
  expect(has).toEqual(set);
});
