/** The software in an image, as CycloneDX: npm's own list (`npm sbom`) of the packages that the image holds, Debian's packages, and Node. */
import { z } from 'zod';
import { run } from '../command.ts';
import type { ImageTarget, InstalledPackage } from './package-closure.ts';

const Component = z.looseObject({ 'bom-ref': z.string(), name: z.string(), version: z.string().optional() });
const Bill = z.looseObject({
  bomFormat: z.literal('CycloneDX'),
  metadata: z.looseObject({ component: Component }),
  components: z.array(Component),
  dependencies: z.array(z.looseObject({ ref: z.string(), dependsOn: z.array(z.string()).optional() })),
});

export type BillOfMaterials = z.infer<typeof Bill>;

export interface BillOptions {
  /** The directory of package.json. */
  readonly root: string;
  readonly target: ImageTarget;
  readonly packages: readonly InstalledPackage[];
  /** Lines of `name version architecture`; empty where Debian's packages are not known. */
  readonly debian: string;
}

export async function billOfMaterials({ root, target, packages, debian }: BillOptions): Promise<BillOfMaterials> {
  // From the lock file, which knows the hash of each. An image has less than is installed, or locked.
  const text = await run('npm', ['sbom', '--package-lock-only', '--sbom-format=cyclonedx'], { cwd: root });
  const whole = Bill.parse(JSON.parse(text));
  const held = new Set(packages.map(({ name, version }) => `${name}@${version}`));
  const components = whole.components.filter(({ 'bom-ref': ref }) => held.has(ref));
  const missing = [...held].filter((ref) => !components.some((component) => component['bom-ref'] === ref));
  if (missing.length > 0) throw new Error(`npm sbom does not list ${missing.join(', ')}`);
  return {
    ...whole,
    metadata: {
      ...whole.metadata,
      component: { ...whole.metadata.component, type: 'container', name: `codex-k8s/${target}` },
    },
    components: [...components, node(), ...debianPackages(debian)],
    dependencies: whole.dependencies
      .filter(({ ref }) => held.has(ref) || ref === whole.metadata.component['bom-ref'])
      .map((entry) => ({ ...entry, dependsOn: (entry.dependsOn ?? []).filter((ref) => held.has(ref)) })),
  };
}

function node(): z.infer<typeof Component> {
  const { node: version } = process.versions;
  const purl = `pkg:generic/node@${version}`;
  return { 'bom-ref': purl, type: 'platform', name: 'node', version, purl };
}

function debianPackages(list: string): z.infer<typeof Component>[] {
  return list
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .flatMap(([name, version, architecture]) => {
      if (!name || !version) return [];
      const purl = `pkg:deb/debian/${name}@${encodeURIComponent(version)}?arch=${architecture}`;
      return [{ 'bom-ref': purl, type: 'library', name, version, purl }];
    });
}
