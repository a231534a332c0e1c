/** No installed version has a vulnerability that is known here (deploy/advisories.yaml), unless it is accepted for a reason. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { readTemporalDev } from '../../src/embedded/temporal/dev-settings.ts';

const Version = z.string().regex(/^\d+\.\d+\.\d+$/);
const Advisory = z.strictObject({
  id: z.string().regex(/^(CVE-\d{4}-\d+|GHSA(-[a-z0-9]{4}){3})$/),
  about: z.string().min(1),
  fixed: z.array(Version).min(1),
  accepted: z.string().min(1).optional(),
  source: z.url({ protocol: /^https$/ }).optional(),
  unconfirmed: z.array(Version).optional(),
});
type Advisory = z.infer<typeof Advisory>;

const ADVISORIES = z
  .strictObject({ npm: z.record(z.string(), z.array(Advisory)), temporal: z.array(Advisory) })
  .parse(parse(readFileSync('deploy/advisories.yaml', 'utf8')));

const LOCK = z
  .object({ packages: z.record(z.string(), z.object({ name: z.string().optional(), version: z.string().optional() })) })
  .parse(JSON.parse(readFileSync('package-lock.json', 'utf8')));

const TEMPORAL = readTemporalDev('temporal-dev.yaml');

const numbers = (version: string): number[] => version.split(/[.-]/).slice(0, 3).map(Number);

/** Negative when the first version is older. */
function compare(one: string, other: string): number {
  const [first, second] = [numbers(one), numbers(other)];
  return first.map((part, at) => part - (second[at] ?? 0)).find((difference) => difference !== 0) ?? 0;
}

/** The line of releases that a fix was made for: below 1 each minor version is one, and Temporal maintains several of them. */
function lineOf(version: string, byMinor: boolean): string {
  const [major = 0, minor = 0] = numbers(version);
  return byMinor || major === 0 ? `${major}.${minor}` : `${major}`;
}

/** Whether a version lacks the fix of its line; of a line without one, whether it is older than all that have it. */
function isAffected(version: string, { fixed }: Advisory, byMinor = false): boolean {
  const own = fixed.find((fix) => lineOf(fix, byMinor) === lineOf(version, byMinor));
  const newest = fixed.toSorted(compare).at(-1) ?? '';
  return compare(version, own ?? newest) < 0;
}

/** Every installed version of a package, those within other packages included. */
function installed(name: string): string[] {
  return Object.entries(LOCK.packages).flatMap(([path, entry]) => {
    const own = entry.name ?? path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    return path !== '' && own === name && entry.version !== undefined ? [entry.version] : [];
  });
}

const NPM = Object.entries(ADVISORIES.npm).flatMap(([name, advisories]) =>
  advisories.map((advisory) => ({ name, id: advisory.id, advisory })),
);

describe.each(NPM)('$name and $id', ({ name, advisory }) => {
  const affected = installed(name).filter((version) => isAffected(version, advisory));

  test(
    advisory.accepted === undefined ? 'are past it' : 'are known, and accepted for a reason that still holds',
    () => {
      expect(installed(name)).not.toEqual([]);
      if (advisory.accepted === undefined) expect(affected).toEqual([]);
      else expect(affected).not.toEqual([]);
    },
  );
});

describe.each(ADVISORIES.temporal)('the development server of Temporal and $id', (advisory) => {
  test(
    advisory.accepted === undefined ? 'are past it' : 'are known, and accepted for a reason that still holds',
    () => {
      expect(isAffected(TEMPORAL.server, advisory, true)).toBe(advisory.accepted !== undefined);
    },
  );
});

test('a deployment is told to use a Temporal that is past all of them', () => {
  expect(ADVISORIES.temporal.filter((advisory) => isAffected(TEMPORAL.production, advisory, true))).toEqual([]);
});

test('a version counts as affected until it has the fix of its own line', () => {
  const advisory = { id: 'CVE-2026-1', about: 'a fault', fixed: ['8.4.1', '9.2.1'] };
  expect(['8.4.0', '9.2.0', '9.0.9', '7.9.9'].map((version) => isAffected(version, advisory))).toEqual([
    true,
    true,
    true,
    true,
  ]);
  expect(['8.4.1', '9.2.1', '9.10.0', '10.0.0'].map((version) => isAffected(version, advisory))).toEqual([
    false,
    false,
    false,
    false,
  ]);
  const minor = { ...advisory, fixed: ['1.29.6', '1.30.4'] };
  expect(['1.29.5', '1.30.3', '1.28.9'].map((version) => isAffected(version, minor, true))).toEqual([true, true, true]);
  expect(['1.29.6', '1.30.4', '1.31.0'].map((version) => isAffected(version, minor, true))).toEqual([
    false,
    false,
    false,
  ]);
});
