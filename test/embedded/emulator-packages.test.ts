import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { requireEmulators } from '../../src/embedded/emulator-packages.ts';
import { CommandProblem } from '../../src/terminal/problems.ts';

test('up and demo start where all packages are installed', () => {
  expect(() => requireEmulators()).not.toThrow();
});

test('up and demo in the image of the platform say that it has no emulators, and what to do', () => {
  const image = pathToFileURL(join(mkdtempSync(join(tmpdir(), 'image-')), 'program.ts')).href;
  expect(() => requireEmulators(image)).toThrow(CommandProblem);
  expect(() => requireEmulators(image)).toThrow(
    /no emulators in this installation: emulate and @copilotkit\/aimock[^]*npm ci/,
  );
});
