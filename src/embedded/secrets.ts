/** The secrets of the embedded default: created on the first start, read on later ones. */
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writePrivateFile } from './files/json-file.ts';

/** Each secret is a file of this name. The tokens have GitHub's prefix, so that secret scanners find them. */
const PREFIXES = {
  'webhook-secret': '',
  'github-owner-token': 'ghp_',
  'github-bot-token': 'ghp_',
  'github-colleague-token': 'ghp_',
  'run-token-key': '',
  'staff-token': '',
  'postgres-password': '',
} as const;
export type SecretName = keyof typeof PREFIXES;
export type Secrets = Readonly<Record<SecretName, string>>;

const SHORTEST = 16;

/** Reads every secret and creates missing ones. Call it with the data directory claimed. */
export function openSecrets(dataDirectory: string): Secrets {
  mkdirSync(join(dataDirectory, 'secrets'), { recursive: true, mode: 0o700 });
  chmodSync(join(dataDirectory, 'secrets'), 0o700);
  const names = Object.keys(PREFIXES) as SecretName[];
  return Object.fromEntries(names.map((name) => [name, openSecret(dataDirectory, name)])) as Secrets;
}

/** Path of a secret, for processes that get the file and not the value. */
export function secretFile(dataDirectory: string, name: SecretName): string {
  return join(dataDirectory, 'secrets', name);
}

function openSecret(dataDirectory: string, name: SecretName): string {
  const path = secretFile(dataDirectory, name);
  const secret = readSecret(path) ?? createSecret(path, PREFIXES[name]);
  if (secret.length < SHORTEST)
    throw new Error(`${path} holds fewer than ${SHORTEST} characters. Remove it to have a new one made.`);
  chmodSync(path, 0o600);
  return secret;
}

function createSecret(path: string, prefix: string): string {
  const secret = prefix + randomBytes(32).toString('base64url');
  writePrivateFile(path, `${secret}\n`);
  return secret;
}

function readSecret(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
