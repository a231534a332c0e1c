import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { isBuiltin } from 'node:module';
import { expect, test } from 'vitest';
import { AGENT_ENTRY, AGENT_SOURCES, sourceFiles } from '../../../deploy/local-cluster/images/agent-layers.ts';
import { PROBE } from '../../../src/adapters/kubernetes/network.ts';
import { AGENT_PACKAGES, packageClosure } from '../../../deploy/local-cluster/images/package-closure.ts';

const DOCKERFILE = readFileSync('deploy/images/Dockerfile', 'utf8');

/** Follows imports from a file; types are not there at run time. */
function importsFrom(entry: string): { files: Set<string>; packages: Set<string> } {
  const files = new Set<string>();
  const packages = new Set<string>();
  const visit = (file: string): void => {
    if (files.has(file)) return;
    files.add(file);
    const source = readFileSync(file, 'utf8');
    const imports = source.matchAll(
      /^(?:import|export)\s+(?!type\b)(?:[^'";]*?\sfrom\s+)?'([^']+)'|\bimport\('([^']+)'\)/gm,
    );
    for (const [, from, dynamic] of imports) {
      const name = from ?? dynamic ?? '';
      if (name.startsWith('.')) visit(relative('.', resolve(dirname(file), name)));
      else if (!isBuiltin(name))
        packages.add(
          name
            .split('/')
            .slice(0, name.startsWith('@') ? 2 : 1)
            .join('/'),
        );
    }
  };
  visit(entry);
  return { files, packages };
}

test('the agent’s image holds every file that its entry point imports', () => {
  const { files } = importsFrom(AGENT_ENTRY);
  expect(files.size).toBeGreaterThan(20);
  expect([...files].filter((file) => !sourceFiles().includes(file))).toEqual([]);
});

test('and every package, with what the package needs, and none that it could do without', () => {
  const { packages } = importsFrom(AGENT_ENTRY);
  const started = ['@openai/codex', '@anthropic-ai/claude-code']; // not imported
  expect([...packages, ...started].toSorted()).toEqual([...AGENT_PACKAGES].toSorted());
  const paths = packageClosure('.', AGENT_PACKAGES).map(({ path }) => path);
  expect(paths).toEqual(expect.arrayContaining(AGENT_PACKAGES.map((name) => `node_modules/${name}`)));
  for (const name of started) expect(paths.some((path) => path.startsWith(`node_modules/${name}-`))).toBe(true);
  expect(paths.filter((path) => /temporalio|octokit|drizzle|kubernetes/.test(path))).toEqual([]);
  for (const path of paths) {
    const { name } = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')) as { name: string };
    expect(name).not.toBe('');
  }
});

test('the Dockerfile copies the same source and starts the same entry', () => {
  for (const path of AGENT_SOURCES)
    expect(DOCKERFILE).toMatch(new RegExp(`^COPY .*\\b${path.replaceAll('.', '\\.')}\\b`, 'm'));
  expect(DOCKERFILE).toContain(`ENTRYPOINT ["node", "/app/${AGENT_ENTRY}"]`);
});

test('holds the probe of the network where the platform starts it', () => {
  const path = relative('/app', PROBE);
  expect(existsSync(path)).toBe(true);
  expect(AGENT_SOURCES.some((source) => path.startsWith(`${source}/`))).toBe(true);
});
