/**
 * Fails when an image of an installation is named by a tag alone, which is another image tomorrow: `kubectl kustomize DIRECTORY | node
 * deploy/check-images.ts`. Looks at every container, and at the setting CODEXK8S_AGENT_IMAGE.
 */
import { text } from 'node:stream/consumers';
import { imagesIn } from './installation-images.ts';

const images = imagesIn(await text(process.stdin));
const tagged = images.filter(({ pinned }) => !pinned);
for (const { image, where } of tagged)
  process.stderr.write(`${where}: ${image} has no digest; name it as NAME@sha256:...\n`);
if (images.length === 0) process.stderr.write('There is no image in what was read.\n');
else if (tagged.length === 0) process.stdout.write(`All ${images.length} images are named by their digests.\n`);
process.exitCode = images.length > 0 && tagged.length === 0 ? 0 : 1;
