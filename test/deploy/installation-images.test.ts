/** Images that are named by their tags are found in what is to be installed, before it is. */
import { readFileSync } from 'node:fs';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { imagesIn } from '../../deploy/installation-images.ts';

const DIGEST = `@sha256:${'0123456789abcdef'.repeat(4)}`;
const MANIFESTS = ['server', 'worker', 'services']
  .map((name) => readFileSync(`deploy/kubernetes/platform/${name}.yaml`, 'utf8'))
  .join('\n---\n');

/** The manifests of the platform, with their placeholder replaced as an overlay does. */
const installation = (platform: string, agent: string): string =>
  `${MANIFESTS.replaceAll('image: codex-k8s/platform', `image: ${platform}`)}
---
{ apiVersion: v1, kind: ConfigMap, metadata: { name: codex-k8s-settings }, data: { CODEXK8S_AGENT_IMAGE: '${agent}' } }
`;

async function check(input: string) {
  return execa(process.execPath, ['deploy/check-images.ts'], { input, reject: false });
}

test('an installation by digests passes', async () => {
  const { exitCode, stdout } = await check(
    installation(`registry.test/platform${DIGEST}`, `registry.test/agent${DIGEST}`),
  );
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^All \d+ images are named by their digests\.$/);
});

test('a tag of the platform, init containers included, or of the agents does not', async () => {
  const { exitCode, stderr } = await check(installation('registry.test/platform:0.4.0', 'registry.test/agent:0.4.0'));
  expect(exitCode).toBe(1);
  expect(stderr).toContain('Deployment server: registry.test/platform:0.4.0 has no digest');
  expect(stderr).toContain('Deployment worker: registry.test/platform:0.4.0 has no digest');
  expect(stderr).toContain('ConfigMap codex-k8s-settings: registry.test/agent:0.4.0 has no digest');
  expect(stderr.match(/Deployment server/g)).toHaveLength(2);
});

test('nothing to look at does not pass either', async () => {
  expect(await check('')).toMatchObject({ exitCode: 1, stderr: 'There is no image in what was read.' });
});

test('an image within a CronJob is found, and one without a tag is not pinned', () => {
  const spec = '{ jobTemplate: { spec: { template: { spec: { containers: [{ name: a, image: busybox }] } } } } }';
  expect(imagesIn(`{ kind: CronJob, metadata: { name: nightly }, spec: ${spec} }`)).toEqual([
    { image: 'busybox', where: 'CronJob nightly', pinned: false },
  ]);
});

test('the overlay that is documented for production names images by digests', () => {
  const [, production = ''] = readFileSync('docs/kubernetes.md', 'utf8').split('### Production');
  const overlay = production.slice(0, production.indexOf('The Secret,'));
  expect(overlay).toContain('digest: sha256:');
  expect(overlay).toMatch(/CODEXK8S_AGENT_IMAGE=\S+@sha256:/);
  expect(overlay).not.toContain('newTag');
});
