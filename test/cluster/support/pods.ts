/** What goes on inside of pods: commands, and whom they can connect to. */
import { Writable } from 'node:stream';
import { Exec, type V1Status } from '@kubernetes/client-node';
import { inject } from 'vitest';
import { readKubeConfig } from '../../../src/adapters/kubernetes/api.ts';
import { type Json, podSpec } from './red-team.ts';

/** A container that runs. */
export interface Place {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

/** The spec of a pod that the rules of a workspace let in, and that asks its node for no disk. `changes`: of its container. */
export function modestPod(changes: Json = {}): Json {
  const spec = podSpec();
  const containers = spec['containers'] as Json[];
  const resources = { requests: { 'ephemeral-storage': '0' } };
  return { ...spec, containers: containers.map((container) => ({ ...container, resources, ...changes })) };
}

/** Runs a command in a pod as the administrator; rejects when there is no such pod. */
export async function runIn(
  { namespace, pod, container }: Place,
  command: readonly string[],
): Promise<{ succeeded: boolean; said: string }> {
  const said: string[] = [];
  const heard = (): Writable =>
    new Writable({
      write(chunk, _, done) {
        said.push(String(chunk));
        done();
      },
    });
  const { promise, resolve } = Promise.withResolvers<V1Status>();
  const exec = new Exec(readKubeConfig(inject('kubeconfig')));
  await exec.exec(namespace, pod, container, [...command], heard(), heard(), null, false, resolve);
  const { status, reason, message } = await promise;
  if (status !== 'Success' && reason !== 'NonZeroExitCode') throw new Error(`${command.join(' ')}: ${message}`);
  return { succeeded: status === 'Success', said: said.join('') };
}

/** Whether a process in a pod gets a TCP connection to `host:port`; the image has busybox. */
export async function connects(from: Place, target: string): Promise<boolean> {
  const [host = '', port = ''] = target.split(':');
  const { succeeded } = await runIn(from, ['sh', '-c', `nc -w 5 ${host} ${port} < /dev/null > /dev/null`]);
  return succeeded;
}
