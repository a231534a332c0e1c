/** Health checks of the components of a cluster. */
import { existsSync, readFileSync } from 'node:fs';
import { get as httpGet } from 'node:http';
import { get as httpsGet, type RequestOptions } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { certificateFiles } from './certificates.ts';
import { succeeds } from './command.ts';
import type { Component } from './components/component.ts';
import { apiserverUrl, containerdSocket, type ClusterDescription } from './description.ts';
import type { ClusterPaths } from './paths.ts';

const ANSWER_MS = 3_000;
const POLL_MS = 100;

export interface HealthSubject {
  readonly paths: ClusterPaths;
  readonly description: ClusterDescription;
}

/** Asks a component itself. */
export async function isHealthy(component: Component, subject: HealthSubject): Promise<boolean> {
  const { description } = subject;
  const { ports } = description;
  switch (component) {
    case 'etcd':
      return answers(`http://127.0.0.1:${ports.etcdHealth}/health`);
    case 'apiserver':
      return (await askApiserver(subject, '/readyz')) !== undefined;
    case 'controllers':
      return answers(`https://127.0.0.1:${ports.controllers}/healthz`);
    case 'scheduler':
      return answers(`https://127.0.0.1:${ports.scheduler}/healthz`);
    case 'policies':
      return existsSync(subject.paths.policiesReady);
    case 'services':
      return existsSync(subject.paths.servicesReady);
    case 'containerd':
      return succeeds('ctr', ['--address', containerdSocket(description), '--connect-timeout', '2s', 'version']);
    case 'kubelet':
      return answers(`http://127.0.0.1:${ports.kubeletHealth}/healthz`);
  }
}

const Node = z.object({
  status: z.object({ conditions: z.array(z.object({ type: z.string(), status: z.string() })).optional() }),
});

/** True if the node is Ready. */
export async function isNodeReady(subject: HealthSubject): Promise<boolean> {
  const answer = await askApiserver(subject, `/api/v1/nodes/${subject.description.nodeName}`);
  const node = answer === undefined ? undefined : Node.safeParse(JSON.parse(answer)).data;
  return node?.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
}

/** Polls the condition; false after the time limit. */
export async function holdsWithin(limitMs: number, condition: () => Promise<boolean>): Promise<boolean> {
  const deadline = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > deadline) return false;
    await sleep(POLL_MS);
  }
  return true;
}

/** The response to an administrator's request; undefined on an error status. */
function askApiserver({ paths, description }: HealthSubject, path: string): Promise<string | undefined> {
  const admin = certificateFiles(paths, 'admin');
  return body(`${apiserverUrl(description)}${path}`, {
    ca: readFileSync(certificateFiles(paths, 'authority').certificate),
    cert: readFileSync(admin.certificate),
    key: readFileSync(admin.key),
  });
}

/** Components with self-signed certificates; their health endpoints return nothing secret. */
async function answers(url: string): Promise<boolean> {
  return (await body(url, { rejectUnauthorized: false })) !== undefined;
}

function body(url: string, options: RequestOptions): Promise<string | undefined> {
  return new Promise((resolve) => {
    const get = url.startsWith('https:') ? httpsGet : httpGet;
    const request = get(url, { ...options, agent: false, signal: AbortSignal.timeout(ANSWER_MS) }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', () => resolve(undefined));
      response.on('end', () =>
        resolve(response.statusCode === 200 ? Buffer.concat(chunks).toString('utf8') : undefined),
      );
    });
    request.on('error', () => resolve(undefined));
  });
}
