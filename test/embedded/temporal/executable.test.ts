import { chmodSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { resolveTemporal, type TemporalExecutableOptions } from '../../../src/embedded/temporal/executable.ts';
import { script, temporaryDirectory } from '../temporary-directory.ts';

const SYSTEM_PATH = '/usr/bin:/bin';

function printing(version: string): string {
  return `echo "temporal version ${version}"`;
}
const FITTING = printing('1.5.1 (Server 1.29.1, UI 2.42.1)');
const TOO_OLD = printing('1.0.0 (Server 1.24.2, UI 2.28.0)');

interface Machine {
  directory: string;
  messages: string[];
  options: TemporalExecutableOptions;
}

/** A machine without Temporal and without Go, on which nothing can be made. */
function bareMachine(): Machine {
  const directory = temporaryDirectory();
  const messages: string[] = [];
  mkdirSync(join(directory, 'bin'));
  const options = {
    cli: '1.5.1',
    server: '1.29.1',
    cacheDirectory: join(directory, 'cache'),
    env: { PATH: `${join(directory, 'bin')}:${SYSTEM_PATH}`, HOME: directory },
    report: (message: string) => messages.push(message),
    makers: { download: () => Promise.reject(new Error('the host cannot be reached')) },
  };
  return { directory, messages, options };
}

/** Puts a CLI into the cache, as an earlier start has left it there. */
function cached({ directory }: Machine): string {
  mkdirSync(join(directory, 'cache', 'temporal', '1.5.1'), { recursive: true });
  return script(join(directory, 'cache', 'temporal', '1.5.1'), 'temporal', FITTING);
}

/** Puts Go on PATH: its bin directory has a CLI of this release, and `install` makes one where it is told to. */
function withGo({ directory }: Machine, builtRelease: string | undefined): string {
  mkdirSync(join(directory, 'go', 'bin'), { recursive: true });
  if (builtRelease) script(join(directory, 'go', 'bin'), 'temporal', printing('0.0.0-DEV (Server 1.29.1, UI 2.42.1)'));
  const made = script(directory, 'made', FITTING);
  script(
    join(directory, 'bin'),
    'go',
    `case "$1" in
       env) printf '\\n%s\\n' '${join(directory, 'go')}';;
       version) printf '\\tmod\\tgithub.com/temporalio/cli\\tv${builtRelease}\\th1:x\\n';;
       install) echo built >> '${join(directory, 'builds')}'; cp '${made}' "$GOBIN/temporal";;
     esac`,
  );
  return join(directory, 'go', 'bin', 'temporal');
}

test('the path in CODEXK8S_TEMPORAL_CLI comes first, whatever else there is', async () => {
  const machine = bareMachine();
  script(join(machine.directory, 'bin'), 'temporal', FITTING);
  const named = script(machine.directory, 'named', TOO_OLD);
  const env = { ...machine.options.env, CODEXK8S_TEMPORAL_CLI: named };
  expect(await resolveTemporal({ ...machine.options, env })).toMatchObject({
    path: named,
    source: 'CODEXK8S_TEMPORAL_CLI',
  });
  expect(machine.messages.join('\n')).toContain('is used although its server is 1.24.2');
});

test('a path that is named and does not run is an error, and nothing else is tried', async () => {
  const machine = bareMachine();
  cached(machine);
  const env = { ...machine.options.env, CODEXK8S_TEMPORAL_CLI: '/nowhere/temporal' };
  await expect(resolveTemporal({ ...machine.options, env })).rejects.toThrow(
    'CODEXK8S_TEMPORAL_CLI is /nowhere/temporal',
  );
});

test('a fitting CLI on PATH comes before the cache', async () => {
  const machine = bareMachine();
  cached(machine);
  const path = script(join(machine.directory, 'bin'), 'temporal', FITTING);
  expect(await resolveTemporal(machine.options)).toMatchObject({ path, source: 'PATH', server: '1.29.1' });
  expect(machine.messages).toEqual([`Temporal 1.5.1 (server 1.29.1) from PATH: ${path}`]);
});

test('a CLI on PATH that is too old is skipped, and reported', async () => {
  const machine = bareMachine();
  const path = script(join(machine.directory, 'bin'), 'temporal', TOO_OLD);
  const inCache = cached(machine);
  expect(await resolveTemporal(machine.options)).toMatchObject({ path: inCache, source: 'cache' });
  expect(machine.messages[0]).toBe(`${path} is skipped: its server is 1.24.2, and 1.29.1 or a later 1.x is needed`);
});

test('an earlier Go build of the same release is used', async () => {
  const machine = bareMachine();
  const path = withGo(machine, '1.5.1');
  expect(await resolveTemporal(machine.options)).toMatchObject({ path, source: 'Go bin directory' });
});

test('one that Go has built of another release is not taken', async () => {
  const machine = bareMachine();
  withGo(machine, '1.4.0');
  expect(await resolveTemporal(machine.options)).toMatchObject({ source: 'Go build' });
});

test('what was downloaded is in the cache the next time, and nothing half made is left', async () => {
  const machine = bareMachine();
  const download = async (directory: string): Promise<string> => {
    const path = script(directory, 'temporal-v1.5.1', FITTING);
    chmodSync(path, 0o600);
    return path;
  };
  const first = await resolveTemporal({ ...machine.options, makers: { download } });
  expect(first.source).toBe('download');
  expect(await resolveTemporal(machine.options)).toMatchObject({ path: first.path, source: 'cache' });
  expect(readdirSync(join(machine.directory, 'cache', 'temporal', '1.5.1')).toSorted()).toEqual(['lock', 'temporal']);
});

test('where the download fails, Go builds one into the cache', async () => {
  const machine = bareMachine();
  withGo(machine, undefined);
  const found = await resolveTemporal(machine.options);
  expect(found).toMatchObject({
    path: join(machine.directory, 'cache', 'temporal', '1.5.1', 'temporal'),
    source: 'Go build',
  });
  expect(machine.messages).toContain('download: the host cannot be reached');
});

test('of two at the same time one downloads it and the other uses it', async () => {
  const machine = bareMachine();
  let downloads = 0;
  const download = async (directory: string): Promise<string> => {
    downloads += 1;
    await sleep(300);
    return script(directory, 'temporal', FITTING);
  };
  const options = { ...machine.options, makers: { download } };
  const both = await Promise.all([resolveTemporal(options), resolveTemporal(options)]);
  expect(both.map(({ source }) => source).toSorted()).toEqual(['cache', 'download']);
  expect(downloads).toBe(1);
});

test('when nothing works, one error says what to install', async () => {
  const machine = bareMachine();
  const failure = await resolveTemporal(machine.options).catch((error: Error) => error.message);
  expect(failure).toContain('download: the host cannot be reached');
  expect(failure).toContain('Go build: Go is not installed');
  expect(failure).toContain('Install the Temporal CLI 1.5.1');
  expect(failure).toContain('https://docs.temporal.io/cli');
  expect(failure).toContain('Go 1.25 or later');
});
