/** The installed packages that a program needs: its imports and their dependencies. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';

const Names = z.record(z.string(), z.string()).optional();
const Manifest = z.object({ dependencies: z.record(z.string(), z.string()) });
const Lock = z.object({
  packages: z.record(
    z.string(),
    z.object({
      name: z.string().optional(),
      version: z.string().optional(),
      dependencies: Names,
      optionalDependencies: Names,
    }),
  ),
});

export interface InstalledPackage {
  /** Relative to the root of the repository, like `node_modules/zod`. */
  readonly path: string;
  /** As it is published, which is not where an alias lies. */
  readonly name: string;
  readonly version: string;
}

/** Packages that the agent's container imports; a test follows the imports and compares them with this list. */
export const AGENT_PACKAGES = ['@anthropic-ai/claude-code', '@openai/codex', 'execa', 'zod'] as const;

/** The images that are built from this repository. */
export type ImageTarget = 'agent' | 'platform';

export function isImageTarget(name: string): name is ImageTarget {
  return name === 'agent' || name === 'platform';
}

/** What the agent's image has alone: the platform does not start them there. */
const ONLY_FOR_AGENTS: ReadonlySet<string> = new Set(['@anthropic-ai/claude-code', '@openai/codex']);

/**
 * The packages that an image is made of, besides what these need. The platform has all dependencies but the agents' programs; what only `up`, the
 * demo and the tests need (the emulators, PostgreSQL's programs) are development dependencies.
 */
export function imagePackages(root: string, target: ImageTarget): string[] {
  if (target === 'agent') return [...AGENT_PACKAGES];
  const { dependencies } = Manifest.parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));
  return Object.keys(dependencies).filter((name) => !ONLY_FOR_AGENTS.has(name));
}

/** The closure of packages in package-lock.json, without optional packages that are not installed. */
export function packageClosure(root: string, names: readonly string[]): InstalledPackage[] {
  const { packages } = Lock.parse(JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')));
  const found = new Map<string, InstalledPackage>();
  const visit = (name: string, from: string): void => {
    const path = resolve(name, from, packages);
    if (path === undefined || found.has(path) || !existsSync(join(root, path))) return;
    const { name: published, version = '', dependencies, optionalDependencies } = packages[path] ?? {};
    found.set(path, { path, name: published ?? name, version });
    for (const next of Object.keys({ ...dependencies, ...optionalDependencies })) visit(next, path);
  };
  for (const name of names) visit(name, '');
  return [...found.values()].toSorted((one, other) => one.path.localeCompare(other.path, 'en'));
}

/** The directory in which Node finds a package: next to the importing package, else further up. */
function resolve(name: string, from: string, packages: Readonly<Record<string, unknown>>): string | undefined {
  for (let directory = from; ; directory = parent(directory)) {
    const path = join(directory, 'node_modules', name);
    if (path in packages) return path;
    if (directory === '') return undefined;
  }
}

function parent(path: string): string {
  const above = dirname(path.slice(0, path.lastIndexOf('node_modules')));
  return above === '.' ? '' : above;
}
