/** The cluster's certificates: a certificate authority, and one certificate for each server and client. */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './command.ts';
import type { ClusterDescription } from './description.ts';
import type { ClusterPaths } from './paths.ts';

const DAYS = '3650';

/** The holders of certificates, with their names in Kubernetes. */
const CLIENTS = {
  admin: '/O=system:masters/CN=admin',
  controllers: '/CN=system:kube-controller-manager',
  scheduler: '/CN=system:kube-scheduler',
} as const;
export const CLIENT_NAMES = ['admin', 'controllers', 'scheduler', 'kubelet'] as const;

export interface Certificate {
  readonly certificate: string;
  readonly key: string;
}

/** The files of a certificate; `authority` signs all others. */
export function certificateFiles({ certificates }: ClusterPaths, name: string): Certificate {
  return { certificate: join(certificates, `${name}.crt`), key: join(certificates, `${name}.key`) };
}

/** The key pair that signs and verifies tokens of service accounts. */
export function tokenKeys({ certificates }: ClusterPaths): { signing: string; verifying: string } {
  return { signing: join(certificates, 'tokens.key'), verifying: join(certificates, 'tokens.pub') };
}

/** Creates all certificates that do not exist yet. */
export async function makeCertificates(paths: ClusterPaths, description: ClusterDescription): Promise<void> {
  const complete = join(paths.certificates, 'complete');
  if (existsSync(complete)) return;
  rmSync(paths.certificates, { recursive: true, force: true });
  mkdirSync(paths.certificates, { recursive: true, mode: 0o700 });
  await makeAuthority(paths);
  const { nodeAddress, serviceAddress, nodeName } = description;
  const names = ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc'];
  const addresses = ['127.0.0.1', nodeAddress, serviceAddress];
  const served = [...names.map((name) => `DNS:${name}`), ...addresses.map((address) => `IP:${address}`)].join(',');
  await Promise.all([
    makeTokenKeys(paths),
    makeCertificate(paths, 'apiserver', '/CN=kube-apiserver', [
      `subjectAltName=${served}`,
      'extendedKeyUsage=serverAuth',
    ]),
    makeCertificate(paths, 'etcd', '/CN=etcd', [`subjectAltName=${served}`, 'extendedKeyUsage=serverAuth,clientAuth']),
    makeClient(paths, 'kubelet', `/O=system:nodes/CN=system:node:${nodeName}`),
    ...Object.entries(CLIENTS).map(([name, subject]) => makeClient(paths, name, subject)),
  ]);
  writeFileSync(complete, '');
}

async function makeAuthority(paths: ClusterPaths): Promise<void> {
  const { certificate, key } = certificateFiles(paths, 'authority');
  await makeKey(key);
  await run('openssl', [
    'req',
    '-x509',
    '-new',
    '-key',
    key,
    '-subj',
    '/CN=codex-k8s',
    '-days',
    DAYS,
    '-out',
    certificate,
  ]);
}

async function makeTokenKeys(paths: ClusterPaths): Promise<void> {
  const { signing, verifying } = tokenKeys(paths);
  await run('openssl', ['genrsa', '-out', signing, '2048']);
  await run('openssl', ['rsa', '-in', signing, '-pubout', '-out', verifying]);
}

function makeClient(paths: ClusterPaths, name: string, subject: string): Promise<void> {
  return makeCertificate(paths, name, subject, ['extendedKeyUsage=clientAuth']);
}

async function makeCertificate(
  paths: ClusterPaths,
  name: string,
  subject: string,
  extensions: readonly string[],
): Promise<void> {
  const { certificate, key } = certificateFiles(paths, name);
  const authority = certificateFiles(paths, 'authority');
  const extensionFile = join(paths.certificates, `${name}.extensions`);
  writeFileSync(extensionFile, `${extensions.join('\n')}\n`);
  await makeKey(key);
  const request = await run('openssl', ['req', '-new', '-key', key, '-subj', subject]);
  // A random serial number, since certificates are created concurrently.
  const serial = ['-set_serial', `0x${crypto.randomUUID().replaceAll('-', '')}`];
  const signer = ['-CA', authority.certificate, '-CAkey', authority.key];
  await run(
    'openssl',
    ['x509', '-req', ...signer, ...serial, '-days', DAYS, '-extfile', extensionFile, '-out', certificate],
    {
      input: `${request}\n`,
    },
  );
}

async function makeKey(path: string): Promise<void> {
  await run('openssl', ['ecparam', '-genkey', '-name', 'prime256v1', '-noout', '-out', path]);
}
