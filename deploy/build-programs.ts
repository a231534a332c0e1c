/**
 * `npm run programs`: finds, downloads or builds the programs that the test suites start and a clean machine lacks: the Temporal
 * CLI, and the local cluster's Kubernetes with the Debian packages that it needs (as root). Each is made once and kept in the
 * cache, so that no test waits for a build.
 */
import { fileURLToPath } from 'node:url';
import { cacheDirectory } from '../src/embedded/files/cache-directory.ts';
import { readTemporalDev } from '../src/embedded/temporal/dev-settings.ts';
import { resolveTemporal } from '../src/embedded/temporal/executable.ts';
import { kubeExecutable } from './local-cluster/kube-executable.ts';
import { requirePrerequisites } from './local-cluster/prerequisites.ts';

const report = (message: string): void => void process.stdout.write(`${message}\n`);
const { env } = process;
const given = { cacheDirectory: cacheDirectory(env), report };

const temporalDev = fileURLToPath(new URL('../temporal-dev.yaml', import.meta.url));
await resolveTemporal({ ...readTemporalDev(temporalDev), ...given, env });
await requirePrerequisites({ install: true, report });
report(`Kubernetes: ${await kubeExecutable(given)}`);
