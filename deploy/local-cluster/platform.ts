/** Prepares the installation of the platform itself in a local cluster: images, secrets, and an overlay of the manifests. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CommandProblem } from '../../src/terminal/problems.ts';
import { cacheDirectory } from '../../src/embedded/files/cache-directory.ts';
import { writePrivateFile } from '../../src/embedded/files/json-file.ts';
import { findComponent } from './components/component-process.ts';
import { readDescription } from './description.ts';
import { importImages, importPlatformImages } from './images/import.ts';
import { kubeconfigFile, clusterPaths } from './paths.ts';
import { serviceAddress, writePlatformOverlay } from './platform-overlay.ts';
import { requireRoot } from './prerequisites.ts';

export interface LocalPlatformOptions {
  readonly dataDirectory: string;
  /** GitHub and an OpenAI Responses API, as pods reach them. */
  readonly gitHubUrl: string;
  readonly modelUrl: string;
  /** Directory of secret files: `github-token` and `model-key` must exist; the others are created. */
  readonly secrets: string;
  /** Settings that override the derived ones. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly report?: (message: string) => void;
  readonly env?: NodeJS.ProcessEnv;
}

export interface LocalPlatform {
  /** For `kubectl apply -k`. */
  readonly overlay: string;
  readonly kubeconfig: string;
  /** The server and Temporal, as this machine reaches them. */
  readonly url: string;
  readonly temporalAddress: string;
}

/** Builds the images and writes the overlay, without installing it. */
export async function prepareLocalPlatform(options: LocalPlatformOptions): Promise<LocalPlatform> {
  const { dataDirectory, gitHubUrl, modelUrl, report = () => undefined, env = process.env } = options;
  requireRoot();
  const paths = clusterPaths(dataDirectory);
  const description = readDescription(paths);
  if (!description || !findComponent(paths, 'containerd'))
    throw new CommandProblem(
      'There is no cluster here that could take the platform; "codex-k8s cluster up" makes one.',
    );
  const secrets = readSecrets(options.secrets);
  const given = { cacheDirectory: cacheDirectory(env), description, report, env };
  const { agent, busybox } = await importImages(given);
  const overlay = join(paths.root, 'platform');
  writePlatformOverlay(overlay, {
    description,
    images: { agent, busybox, ...(await importPlatformImages(given)) },
    settings: {
      CODEXK8S_GITHUB_URL: gitHubUrl,
      CODEXK8S_GITHUB_API_URL: gitHubUrl === 'https://github.com' ? 'https://api.github.com' : gitHubUrl,
      CODEXK8S_MODEL_URL: modelUrl,
      ...options.settings,
    },
    secrets,
  });
  return {
    overlay,
    kubeconfig: kubeconfigFile(paths, 'admin'),
    url: `http://${serviceAddress(description, 'server')}:8080`,
    temporalAddress: `${serviceAddress(description, 'temporal')}:7233`,
  };
}

const MADE = ['run-token-key', 'webhook-secrets', 'staff-token', 'postgres-password'] as const;
const GIVEN = ['github-token', 'model-key'] as const;

/** Reads the secrets, and creates missing ones as deploy/kubernetes/trial/make-secrets.sh does. */
function readSecrets(directory: string): Record<string, string> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const missing = GIVEN.filter((name) => !existsSync(join(directory, name)));
  if (missing.length > 0) throw new CommandProblem(`${directory} needs the files ${missing.join(' and ')}`, 2);
  for (const name of MADE) {
    const path = join(directory, name);
    if (!existsSync(path)) writePrivateFile(path, randomBytes(32).toString('hex'));
  }
  const secrets = Object.fromEntries(
    [...MADE, ...GIVEN].map((name) => [name, readFileSync(join(directory, name), 'utf8').trim()]),
  );
  const password = encodeURIComponent(secrets['postgres-password'] ?? '');
  return { ...secrets, 'database-url': `postgres://codexk8s:${password}@postgres.codex-k8s.svc:5432/codexk8s` };
}
