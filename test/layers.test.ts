import { cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, normalize } from 'node:path';
import { execa } from 'execa';
import { beforeAll, expect, test } from 'vitest';

/** Folder, and the module that a file there imports. */
type Import = readonly [folder: string, from: string];

const FORBIDDEN: readonly Import[] = [
  ['src/domain', 'zod'],
  ['src/domain/issue', 'node:fs'],
  ['src/domain/issue', '../../store/connection/database.ts'],
  ['src/store/runs', '../../read-model/audit/audit.ts'],
  ['src/store/runs', '../../adapters/github/index.ts'],
  ['src/read-model/audit', '../../adapters/github/index.ts'],
  ['src/adapters/github', '../../store/connection/database.ts'],
  ['src/adapters', '@temporalio/client'],
  ['src/agent/runner', '../../store/connection/database.ts'],
  ['src/agent/runner', '../../cli/cli.ts'],
  ['src/agent/runner', '../cli/codex/codex.ts'],
  ['src/agent/cli', './codex/codex.ts'],
  ['src/emulators/github', '../../app/config/server-config.ts'],
  ['src/use-cases', '../adapters/github/index.ts'],
  ['src/use-cases', '../../ingress/http/errors.ts'],
  ['src/app/server', '../../cli/cli.ts'],
  ['src/embedded', '../cli/cli.ts'],
  ['src/network', '../adapters/kubernetes/index.ts'],
  ['src/tools', '../store/connection/database.ts'],
  ['src/tools', '@modelcontextprotocol/server'],
  ['src/temporal', '../store/connection/database.ts'],
  ['src/temporal', '../app/process/log.ts'],
  ['src/temporal', '../../ingress/relay/issue-signals.ts'],
  ['src/temporal', '../../workflows/run/workflow.ts'],
  ['src/temporal', '../../activities/index.ts'],
  ['src/temporal', 'drizzle-orm'],
  ['src/github-deliveries', '../domain/triggers/webhooks.ts'],
  ['src/github-deliveries', '../../ingress/github-webhook/route.ts'],
  ['src/github-deliveries', '@octokit/webhooks'],
  ['src/store/runs', '../../temporal/run-permits.ts'],
  ['src/read-model/audit', '../../use-cases/repository-binding.ts'],
  ['src/adapters/github', '../../temporal/times.ts'],
  ['src/agent/runner', '../../network/loopback.ts'],
  ['src/emulators/github', '../../github-deliveries/headers.ts'],
  ['src/api-client', '../temporal/times.ts'],
  ['src/use-cases', '../temporal/schedules.ts'],
  ['src/terminal', '../temporal/times.ts'],
  ['activities/records', '../../src/temporal/workflow-records.ts'],
  ['workflows/issue', '../../src/temporal/times.ts'],
  ['ingress/api', '../../src/temporal/workflow-records.ts'],
  ['src/terminal', '../domain/refusal.ts'],
  ['src/diagnostics', '../cli/cli.ts'],
  ['src/api-client', '../../ingress/api/routes.ts'],
  ['workflows', 'node:fs'],
  ['workflows/issue', '../../activities/index.ts'],
  ['workflows/issue', '../../src/store/connection/database.ts'],
  ['activities/github', '../../src/adapters/github/index.ts'],
  ['activities/github', '../../workflows/messages.ts'],
  ['ingress/api', '../../activities/index.ts'],
  ['ingress/api', '../../workflows/issue/workflow.ts'],
  ['ingress/gateways', '../../src/agent/runner/runner.ts'],
  ['ingress/api', '../../src/adapters/github/index.ts'],
];

const ALLOWED: readonly Import[] = [
  ['src/domain/issue', '../stages/stages.ts'],
  ['src/domain/workspace', '../agent/permissions.ts'],
  ['src/read-model/audit', '../../store/audit/events.ts'],
  ['src/agent/runner', '../cli/process.ts'],
  ['src/network', '../domain/workspace/address-blocks.ts'],
  ['src/temporal', '../domain/run/permits.ts'],
  ['src/temporal', '../../workflows/messages.ts'],
  ['src/temporal', '@temporalio/client'],
  ['src/github-deliveries', '../terminal/problems.ts'],
  ['src/github-deliveries', '../../ingress/github-webhook/signature.ts'],
  ['src/adapters/kubernetes', '../../network/address-blocks.ts'],
  ['ingress/api', '../../src/network/address-blocks.ts'],
  ['src/use-cases', '../store/projects/repositories.ts'],
  ['ingress/relay', '../../workflows/messages.ts'],
  ['ingress/gateways', '../../src/agent/platform/protocol.ts'],
  ['activities/records', '../../src/store/connection/database.ts'],
  ['workflows/issue', '../../src/domain/issue/facts.ts'],
];

const imports = [...FORBIDDEN, ...ALLOWED];

/** The files in which the project's own lint rules found a forbidden import: one run of the linter for all of them. */
let refused: ReadonlySet<string>;
beforeAll(async () => {
  const directory = mkdtempSync(join(tmpdir(), 'codex-k8s-layers-'));
  cpSync('.oxlintrc.json', join(directory, '.oxlintrc.json'));
  for (const violation of imports) {
    const path = join(directory, fileOf(violation));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `import { thing } from '${violation[1]}';\nexport const used: unknown = thing;\n`);
  }
  const { stdout } = await execa('oxlint', ['--config', '.oxlintrc.json', '--format', 'json', '.'], {
    cwd: directory,
    localDir: process.cwd(),
    preferLocal: true,
    reject: false,
  });
  rmSync(directory, { recursive: true });
  const { diagnostics, number_of_files: files } = JSON.parse(stdout) as LintReport;
  expect(files).toBe(imports.length);
  refused = new Set(
    diagnostics.filter(({ code }) => code.includes('no-restricted-imports')).map(({ filename }) => filename),
  );
});

interface LintReport {
  readonly diagnostics: readonly { readonly code: string; readonly filename: string }[];
  readonly number_of_files: number;
}

/** A file of its own for each import. */
function fileOf([folder, from]: Import): string {
  return `${folder}/${from.replaceAll(/[^\w]+/g, '-').replaceAll(/^-|-$/g, '')}.ts`;
}

test.each(FORBIDDEN)('%s may not import %s', (...violation) => {
  expect(refused).toContain(fileOf(violation));
});

test.each(ALLOWED)('%s may import %s', (...allowed) => {
  expect(refused).not.toContain(fileOf(allowed));
});

test('no folders import each other in a circle', () => {
  expect(circles(importsBetweenFolders())).toEqual([]);
});

test('a circle of folders is found', () => {
  expect(
    circles([
      ['a/x', 'b'],
      ['b/y', 'c'],
      ['c', 'a/z'],
    ]),
  ).toEqual(['a, b, c']);
});

/**
 * Every import of the product as a pair of folders. `src` is no room of its own, its folders are. A file that lies beside
 * folders (an index, an entry) belongs to none of them.
 */
function importsBetweenFolders(): [string, string][] {
  return globSync('{src,workflows,activities,ingress,deploy}/**/*.ts').flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/(?:from|import) *\(? *'(\.[^']+)'/g)].map(
      ([, to = '']): [string, string] => [folderOf(file), folderOf(normalize(join(dirname(file), to)))],
    ),
  );
}

function folderOf(file: string): string {
  return dirname(file).replace(/^src\//, '');
}

/** At each level, the folders there that lead to each other and back, each circle as one text. */
function circles(imports: readonly (readonly [string, string])[]): string[] {
  const edges = new Map<string, Set<string>>();
  for (const [from, to] of imports) {
    const [a, b] = siblings(from, to) ?? [];
    if (a !== undefined && b !== undefined) edges.set(a, (edges.get(a) ?? new Set()).add(b));
  }
  const reach = (start: string): Set<string> => {
    const found = new Set<string>();
    const next = [...(edges.get(start) ?? [])];
    for (let folder = next.pop(); folder !== undefined; folder = next.pop())
      if (!found.has(folder)) next.push(...(edges.get(found.add(folder) && folder) ?? []));
    return found;
  };
  const reached = new Map([...edges.keys()].map((folder) => [folder, reach(folder)]));
  const found = [...reached]
    .filter(([folder, from]) => from.has(folder))
    .map(([folder, from]) =>
      [...from]
        .filter((other) => reached.get(other)?.has(folder))
        .toSorted()
        .join(', '),
    );
  return [...new Set(found)];
}

/** The two folders at which two paths part, when neither holds the other. */
function siblings(from: string, to: string): [string, string] | undefined {
  const [a, b] = [from.split('/'), to.split('/')];
  const parting = a.findIndex((part, index) => part !== b[index]);
  if (parting === -1 || parting >= b.length) return undefined;
  return [a.slice(0, parting + 1).join('/'), b.slice(0, parting + 1).join('/')];
}
