import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { SETTINGS } from '../../../src/app/config/all-settings.ts';
import { serverConfig } from '../../../src/app/config/server-config.ts';
import { workerConfig } from '../../../src/app/config/worker-config.ts';
import { databaseUrl } from '../../../src/app/config/database-config.ts';
import { silenceLimits } from '../../../ingress/gateways/upstream.ts';
import { PRODUCTION_LIMITS } from '../../../src/app/config/limits.ts';
import { RUN_LIMITS } from '../../../src/domain/run/permits.ts';

const directory = mkdtempSync(join(tmpdir(), 'config-'));

function secretFile(name: string, content: string): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

function complete(): NodeJS.ProcessEnv {
  return {
    DATABASE_URL: 'postgres://codexk8s:hunter2hunter2@127.0.0.1:5432/codexk8s',
    CODEXK8S_PUBLIC_URL: 'https://codex.example.com/',
    CODEXK8S_INTERNAL_URL: 'http://10.0.0.1:8080',
    CODEXK8S_GITHUB_TOKEN_FILE: secretFile('github', 'ghp_0123456789abcdefghij'),
    CODEXK8S_RUN_TOKEN_KEY_FILE: secretFile('key', 'k'.repeat(32)),
    CODEXK8S_WEBHOOK_SECRETS_FILE: secretFile('webhook', 'the-new-secret-0001\nthe-old-secret-0001\n'),
    CODEXK8S_STAFF_TOKEN_FILE: secretFile('staff', 's'.repeat(20)),
    CODEXK8S_MODEL_KEY_FILE: secretFile('model', 'sk-test'),
    CODEXK8S_RUNTIME_DIRECTORY: directory,
  };
}

test('several webhook secrets are read, the newest first', () => {
  expect(serverConfig(complete()).CODEXK8S_WEBHOOK_SECRETS_FILE).toEqual([
    'the-new-secret-0001',
    'the-old-secret-0001',
  ]);
});

test('I23: no limit of the gateways is shorter than what agents wait, nor than that of Node (300 s)', () => {
  const { CODEXK8S_AGENT_STALL_SECONDS: stall, CODEXK8S_AGENT_RUN_SECONDS: run } = serverConfig(complete());
  const { gateways } = PRODUCTION_LIMITS;
  expect(silenceLimits(gateways, stall)).toEqual({ connectMs: 10_000, silenceMs: 960_000 });
  expect(silenceLimits(gateways, run)).toEqual({ connectMs: 10_000, silenceMs: 18_060_000 });
});

test('an address loses the slash at its end', () => {
  expect(workerConfig(complete()).CODEXK8S_PUBLIC_URL).toBe('https://codex.example.com');
});

test('an error names every missing setting', () => {
  expect(() => serverConfig({})).toThrow(/DATABASE_URL[^]*CODEXK8S_WEBHOOK_SECRETS_FILE/);
});

test('an empty webhook secret is refused', () => {
  const env = { ...complete(), CODEXK8S_WEBHOOK_SECRETS_FILE: secretFile('empty', '\n') };
  expect(() => serverConfig(env)).toThrow(/CODEXK8S_WEBHOOK_SECRETS_FILE/);
});

test('a secret file that cannot be read is named', () => {
  const env = { ...complete(), CODEXK8S_STAFF_TOKEN_FILE: join(directory, 'absent') };
  expect(() => serverConfig(env)).toThrow(/CODEXK8S_STAFF_TOKEN_FILE.*absent/);
});

test('an error contains no value of a secret', () => {
  const env = { ...complete(), CODEXK8S_GITHUB_TOKEN_FILE: secretFile('short', 'ghp_short') };
  expect(() => workerConfig(env)).toThrow(
    expect.not.objectContaining({ message: expect.stringContaining('ghp_short') }),
  );
});

test('labels have their canonical names unless a file overrides them', () => {
  const file = secretFile('labels.json', '{"run:dev":"agent:dev"}');
  for (const config of [serverConfig, workerConfig]) {
    expect(config(complete()).CODEXK8S_LABELS_FILE.onGitHub('run:dev')).toBe('run:dev');
    const { CODEXK8S_LABELS_FILE: names } = config({ ...complete(), CODEXK8S_LABELS_FILE: file });
    expect(names.onGitHub('run:dev')).toBe('agent:dev');
  }
});

test.each([
  ['{"run:develop":"x","run:dev":""}', /CODEXK8S_LABELS_FILE: .*“run:develop” is no label[^]*“run:dev” is empty/],
  ['{', /CODEXK8S_LABELS_FILE: .*is not JSON/],
  [undefined, /CODEXK8S_LABELS_FILE: cannot be read: .*absent/],
])('a file of names that holds %s is refused, and named', (content, problem) => {
  const path = content === undefined ? join(directory, 'absent') : secretFile('wrong.json', content);
  expect(() => serverConfig({ ...complete(), CODEXK8S_LABELS_FILE: path })).toThrow(problem);
});

/** The table of settings in docs/operations.md: names of the first column by a process of the second. */
function documented(process: string): string[] {
  const page = readFileSync(new URL('../../../docs/operations.md', import.meta.url), 'utf8');
  return [...page.matchAll(/^\| (?<names>`[^|]+`) \| (?<readers>[a-z, ]+) \|/gm)]
    .filter(({ groups }) => groups!['readers']!.split(', ').includes(process))
    .flatMap(({ groups }) => [...groups!['names']!.matchAll(/`([A-Z0-9_]+)`/g)].map(([, name = '']) => name));
}

test.each(['server', 'worker'] as const)('docs/operations.md lists the settings of the %s', (process) => {
  expect(documented(process).toSorted()).toEqual(SETTINGS[process].toSorted());
});

test('docs/operations.md lists what migrate reads', () => {
  expect(documented('migrate')).toEqual(['CODEXK8S_DATABASE_URL_FILE', 'DATABASE_URL']);
});

test("the database's URL may be in a file", () => {
  const { DATABASE_URL: url, ...env } = complete();
  expect(workerConfig({ ...env, CODEXK8S_DATABASE_URL_FILE: secretFile('database', `${url}\n`) }).DATABASE_URL).toBe(
    url,
  );
});

test('migrate reads the database alone', () => {
  const { DATABASE_URL } = complete();
  expect(databaseUrl({ DATABASE_URL })).toBe(DATABASE_URL);
});

test("the agent's command is a JSON array of a program and its arguments", () => {
  const given = { ...complete(), CODEXK8S_AGENT_COMMAND: '["node","/opt/my agent.js"]' };
  expect(workerConfig(given).CODEXK8S_AGENT_COMMAND).toEqual(['node', '/opt/my agent.js']);
  expect(workerConfig(complete()).CODEXK8S_AGENT_COMMAND).toBeUndefined();
});

test.each(['node agent.js', '[]', '[1]', '{}'])('%s is not a valid command of an agent', (text) => {
  expect(() => workerConfig({ ...complete(), CODEXK8S_AGENT_COMMAND: text })).toThrow(/CODEXK8S_AGENT_COMMAND/);
});

test('limits of runs override the defaults', () => {
  const limitsOf = (text?: string) =>
    workerConfig({ ...complete(), ...(text === undefined ? {} : { CODEXK8S_RUN_LIMITS: text }) }).CODEXK8S_RUN_LIMITS;
  expect(limitsOf()).toEqual(RUN_LIMITS);
  expect(limitsOf('installation=3, project=2,dev=1')).toEqual({
    installation: 3,
    project: 2,
    roles: { ...RUN_LIMITS.roles, dev: 1 },
  });
  expect(limitsOf('dev=1,role=9').roles).toMatchObject({ dev: 1, pm: 9, km: 9 });
});

test.each([
  ['', '“” is not like dev=2'],
  ['dev', '“dev” is not like dev=2'],
  ['dev=0', '“dev=0” is not like dev=2'],
  ['dev=1.5', '“dev=1.5” is not like dev=2'],
  ['dev=-1', '“dev=-1” is not like dev=2'],
  ['dev=2,,qa=1', '“” is not like dev=2'],
  ['devs=2', '“devs” is none of installation, project, role, pm, '],
  ['dev=2,dev=3', 'dev is given twice'],
])('“%s” are not valid limits of runs', (text, message) => {
  expect(() => workerConfig({ ...complete(), CODEXK8S_RUN_LIMITS: text })).toThrow(`CODEXK8S_RUN_LIMITS: ${message}`);
});

test('CODEXK8S_AGENT_EGRESS takes CIDR blocks and single addresses', () => {
  const env = { ...complete(), CODEXK8S_AGENT_EGRESS: '203.0.113.0/24, 2001:db8::7' };
  expect(workerConfig(env).CODEXK8S_AGENT_EGRESS).toEqual(['203.0.113.0/24', '2001:db8::7/128']);
});

test('CODEXK8S_AGENT_EGRESS refuses a host name, and names it', () => {
  const env = { ...complete(), CODEXK8S_AGENT_EGRESS: '203.0.113.0/24,registry.npmjs.org' };
  expect(() => workerConfig(env)).toThrow(/CODEXK8S_AGENT_EGRESS: registry\.npmjs\.org is not an address/);
});
