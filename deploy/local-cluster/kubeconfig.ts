/** Kubeconfigs with embedded certificates. */
import { mkdirSync, readFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { writePrivateFile } from '../../src/embedded/files/json-file.ts';
import { certificateFiles, CLIENT_NAMES } from './certificates.ts';
import { apiserverUrl, type ClusterDescription } from './description.ts';
import { kubeconfigFile, type ClusterPaths } from './paths.ts';

/** Writes a kubeconfig for each client certificate. */
export function writeKubeconfigs(paths: ClusterPaths, description: ClusterDescription): void {
  mkdirSync(paths.kubeconfigs, { recursive: true, mode: 0o700 });
  for (const who of CLIENT_NAMES) {
    writePrivateFile(kubeconfigFile(paths, who), stringify(kubeconfig(paths, description, who), { lineWidth: 0 }));
  }
}

function kubeconfig(paths: ClusterPaths, description: ClusterDescription, who: string): object {
  const { name } = description;
  const { certificate, key } = certificateFiles(paths, who);
  const authority = certificateFiles(paths, 'authority').certificate;
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name, cluster: { server: apiserverUrl(description), 'certificate-authority-data': encoded(authority) } },
    ],
    users: [{ name: who, user: { 'client-certificate-data': encoded(certificate), 'client-key-data': encoded(key) } }],
    contexts: [{ name, context: { cluster: name, user: who } }],
    'current-context': name,
  };
}

function encoded(file: string): string {
  return readFileSync(file).toString('base64');
}
