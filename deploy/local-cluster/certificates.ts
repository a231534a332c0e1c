/** The cluster's certificates: its own authority, and one certificate for whoever serves or calls. */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './command.ts';
import type { ClusterDescription } from './description.ts';
import type { ClusterPlaces } from './paths.ts';

const DAYS = '3650';

/** Who has a certificate, and the name under which Kubernetes knows it. */
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
export function certificateFiles({ certificates }: ClusterPlaces, name: string): Certificate {
  return { certificate: join(certificates, `${name}.crt`), key: join(certificates, `${name}.key`) };
}

/** The pair of keys with which tokens of service accounts are signed and checked. */
export function tokenKeys({ certificates }: ClusterPlaces): { signing: string; verifying: string } {
  return { signing: join(certificates, 'tokens.key'), verifying: join(certificates, 'tokens.pub') };
}

/** Makes all certificates, unless they are there. */
export async function makeCertificates(places: ClusterPlaces, description: ClusterDescription): Promise<void> {
  const complete = join(places.certificates, 'complete');
  if (existsSync(complete)) return;
  rmSync(places.certificates, { recursive: true, force: true });
  mkdirSync(places.certificates, { recursive: true, mode: 0o700 });
  await makeAuthority(places);
  const { nodeAddress, serviceAddress, nodeName } = description;
  const names = ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc'];
  const addresses = ['127.0.0.1', nodeAddress, serviceAddress];
  const served = [...names.map((name) => `DNS:${name}`), ...addresses.map((address) => `IP:${address}`)].join(',');
  await Promise.all([
    makeTokenKeys(places),
    makeCertificate(places, 'apiserver', '/CN=kube-apiserver', [
      `subjectAltName=${served}`,
      'extendedKeyUsage=serverAuth',
    ]),
    makeCertificate(places, 'etcd', '/CN=etcd', [`subjectAltName=${served}`, 'extendedKeyUsage=serverAuth,clientAuth']),
    makeClient(places, 'kubelet', `/O=system:nodes/CN=system:node:${nodeName}`),
    ...Object.entries(CLIENTS).map(([name, subject]) => makeClient(places, name, subject)),
  ]);
  writeFileSync(complete, '');
}

async function makeAuthority(places: ClusterPlaces): Promise<void> {
  const { certificate, key } = certificateFiles(places, 'authority');
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

async function makeTokenKeys(places: ClusterPlaces): Promise<void> {
  const { signing, verifying } = tokenKeys(places);
  await run('openssl', ['genrsa', '-out', signing, '2048']);
  await run('openssl', ['rsa', '-in', signing, '-pubout', '-out', verifying]);
}

function makeClient(places: ClusterPlaces, name: string, subject: string): Promise<void> {
  return makeCertificate(places, name, subject, ['extendedKeyUsage=clientAuth']);
}

async function makeCertificate(
  places: ClusterPlaces,
  name: string,
  subject: string,
  extensions: readonly string[],
): Promise<void> {
  const { certificate, key } = certificateFiles(places, name);
  const authority = certificateFiles(places, 'authority');
  const extensionFile = join(places.certificates, `${name}.extensions`);
  writeFileSync(extensionFile, `${extensions.join('\n')}\n`);
  await makeKey(key);
  const request = await run('openssl', ['req', '-new', '-key', key, '-subj', subject]);
  // A random number: certificates are made at the same time, so no counter.
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
