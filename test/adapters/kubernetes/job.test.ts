import { describe, expect, test } from 'vitest';
import { jobObject, tokenSecret, type PodSettings, type RunPod } from '../../../src/adapters/kubernetes/job.ts';

const SETTINGS: PodSettings = {
  image: 'agent:1',
  platformUrl: 'http://10.88.0.1:8090',
  deadlineSeconds: 3600,
  keepSeconds: 600,
  requests: { cpu: '250m', memory: '512Mi', ephemeralStorage: '1Gi' },
  limits: { cpu: '2', memory: '2Gi', ephemeralStorage: '8Gi' },
};

const POD: RunPod = {
  namespace: 'codex-demo-i42',
  runId: '0f0f0f0f-0000-4000-8000-000000000002',
  attempt: 2,
  launch: 1,
  use: {
    project: 'Some Project',
    repositoryId: 7,
    issueNumber: 42,
    role: 'dev',
    mode: 'full-env',
    until: '2026-11-22T10:00:00.000Z',
  },
};
const NAME = 'codex-k8s-run-0f0f0f0f-0000-4000-8000-000000000002-2';

const podOf = (pod: RunPod, settings = SETTINGS) => jobObject(pod, settings).spec!.template.spec!;

describe('a Job', () => {
  test('is made suspended, for one pod, once', () => {
    expect(jobObject(POD, SETTINGS).spec).toMatchObject({
      suspend: true,
      completions: 1,
      parallelism: 1,
      backoffLimit: 0,
      activeDeadlineSeconds: 3600,
      ttlSecondsAfterFinished: 600,
    });
  });

  test('and its pod say which run they are', () => {
    const { metadata, spec } = jobObject(POD, SETTINGS);
    const labels = {
      'codex-k8s.dev/managed-by': 'codex-k8s-worker',
      'codex-k8s.dev/run-id': POD.runId,
      'codex-k8s.dev/attempt': '2',
      'codex-k8s.dev/project': 'Some-Project',
      'codex-k8s.dev/issue-number': '42',
      'codex-k8s.dev/agent-role': 'dev',
    };
    expect(metadata).toEqual({
      name: NAME,
      namespace: 'codex-demo-i42',
      labels,
      annotations: { 'codex-k8s.dev/launch': '1' },
    });
    expect(spec?.template.metadata?.labels).toEqual(labels);
  });

  test('has the image’s own entry point, unless another command is set', () => {
    expect(podOf(POD).containers[0]).not.toHaveProperty('command');
    expect(podOf(POD, { ...SETTINGS, command: ['sh'] }).containers[0]?.command).toEqual(['sh']);
  });
});

describe('a token for the Kubernetes API', () => {
  test.each([
    ['dev', 'full-env', true],
    ['sre', 'full-env', true],
    ['dev', 'code-only', false],
    ['pm', 'full-env', false],
    ['km', 'full-env', false],
  ] as const)('for %s in %s: %s', (role, mode, given) => {
    expect(podOf({ ...POD, use: { ...POD.use, role, mode } }).automountServiceAccountToken).toBe(given);
  });
});

describe('an authority of the gateways', () => {
  const settings = { ...SETTINGS, authorities: '-----BEGIN CERTIFICATE-----' };

  test('lies beside the token, and the agent is told of it', () => {
    const { data } = tokenSecret(POD, { uid: 'uid-1' }, 'a token', settings);
    expect(Buffer.from(data?.['ca.crt'] ?? '', 'base64').toString()).toBe(settings.authorities);
    const pod = podOf(POD, settings);
    expect(pod.volumes?.flatMap((volume) => volume.secret?.items ?? [])).toEqual([
      { key: 'token', path: 'token' },
      { key: 'ca.crt', path: 'ca.crt' },
    ]);
    expect(pod.containers[0]?.env).toEqual([
      { name: 'NODE_EXTRA_CA_CERTS', value: '/run/codex-k8s/ca.crt' },
      { name: 'CODEXK8S_AGENT_CA_FILE', value: '/run/codex-k8s/ca.crt' },
    ]);
  });

  test('is not there where the well-known ones will do', () => {
    expect(podOf(POD).containers[0]).not.toHaveProperty('env');
  });
});

describe('the run token', () => {
  const secret = tokenSecret(POD, { uid: 'uid-1' }, 'a token', SETTINGS);

  test('is what the pod mounts, and nothing else', () => {
    expect(secret.metadata).toMatchObject({ name: NAME, namespace: 'codex-demo-i42' });
    expect(secret.data).toEqual({ token: Buffer.from('a token').toString('base64') });
    expect(podOf(POD).volumes?.flatMap((volume) => volume.secret?.secretName ?? [])).toEqual([NAME]);
  });

  test('belongs to its Job, and cannot be changed', () => {
    expect(secret.immutable).toBe(true);
    expect(secret.metadata?.ownerReferences).toMatchObject([
      { kind: 'Job', name: NAME, uid: 'uid-1', controller: true },
    ]);
  });
});
