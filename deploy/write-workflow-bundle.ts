/** Bundles the workflows into a file, for an image: `node deploy/write-workflow-bundle.ts FILE`. */
import { writeFileSync } from 'node:fs';
import { DefaultLogger } from '@temporalio/worker';
import { bundleWorkflows } from '../src/temporal/workflow-code.ts';

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error('usage: write-workflow-bundle.ts FILE');
const { code } = await bundleWorkflows(new DefaultLogger('WARN'));
writeFileSync(file, code);
