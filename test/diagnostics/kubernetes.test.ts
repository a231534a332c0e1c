import { KubeConfig } from '@kubernetes/client-node';
import { Hono } from 'hono';
import { expect, test } from 'vitest';
import { usableSettings } from '../../src/app/config/all-settings.ts';
import { runChecks } from '../../src/diagnostics/check.ts';
import { kubernetesChecks, type KubernetesOptions } from '../../src/diagnostics/kubernetes/checks.ts';
import { admissionPolicies, WORKER_USER, workerRules } from '../../src/diagnostics/kubernetes/manifests.ts';
import { networkPolicyAnswer } from '../../src/diagnostics/kubernetes/network-policy.ts';
import type { NetworkState } from '../../src/domain/workspace/network-findings.ts';
import { fileOf, linesOf, serve } from './support.ts';

interface ClusterOptions {
  readonly minor?: string;
  readonly account?: string;
  /** Whether a verb on a resource is allowed. */
  readonly allows?: (resource: string, verb: string) => boolean;
  readonly policies?: 'readable' | 'forbidden' | 'missing';
  readonly admits?: boolean;
}

const NEVER = new Set(['*', 'bind']);

/** An API server, as far as the doctor asks one. */
async function cluster(options: ClusterOptions = {}): Promise<string> {
  const { minor = '34', account = WORKER_USER, policies = 'forbidden', admits = false } = options;
  const allows =
    options.allows ?? ((resource, verb) => !NEVER.has(verb) && !(resource === 'secrets' && verb === 'list'));
  const app = new Hono();
  app.get('/version', (c) => c.json({ major: '1', minor, gitVersion: `v1.${minor}.0` }));
  app.post('/apis/authentication.k8s.io/v1/selfsubjectreviews', (c) =>
    c.json({ status: { userInfo: { username: account } } }, 201),
  );
  app.post('/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', async (c) => {
    const { spec } = await c.req.json<{ spec: { resourceAttributes: { resource: string; verb: string } } }>();
    const { resource, verb } = spec.resourceAttributes;
    const allowed = !resource.startsWith('validatingadmission') && allows(resource, verb);
    return c.json({ status: { allowed } }, 201);
  });
  app.get('/apis/admissionregistration.k8s.io/v1/:kind/:name', (c) => {
    if (policies === 'forbidden') return c.json({ message: 'forbidden' }, 403);
    return policies === 'missing' && c.req.param('name') === 'codex-k8s-pods' ? c.json({}, 404) : c.json({});
  });
  const refuse = (path: string, message: string): void => {
    app.post(path, (c) => {
      expect(c.req.query('dryRun')).toBe('All');
      return admits ? c.json({}, 201) : c.json({ message }, 403);
    });
  };
  refuse(
    '/api/v1/namespaces/default/configmaps',
    "ValidatingAdmissionPolicy 'codex-k8s-worker' with binding denied it",
  );
  refuse('/api/v1/namespaces', "ValidatingAdmissionPolicy 'codex-k8s-namespaces' with binding denied it");
  refuse('/api/v1/namespaces/codex-k8s/pods', 'pods "x" is forbidden: violates PodSecurity "restricted:latest"');
  return serve(app);
}

const PINNED = `registry.example/codex-k8s/agent@sha256:${'0'.repeat(64)}`;

async function findings(
  server: string,
  options: Partial<KubernetesOptions> = {},
  image: string = PINNED,
): Promise<string[]> {
  const config = new KubeConfig();
  config.loadFromOptions({
    clusters: [{ name: 'c', server, skipTLSVerify: true }],
    users: [{ name: 'u', token: 'secret-token' }],
    contexts: [{ name: 'x', cluster: 'c', user: 'u' }],
    currentContext: 'x',
  });
  const settings = usableSettings({
    CODEXK8S_KUBECONFIG: fileOf(config.exportConfig()),
    CODEXK8S_AGENT_IMAGE: image,
    CODEXK8S_AGENT_URL: 'http://server.codex-k8s.svc:8090',
  });
  return linesOf(await runChecks(kubernetesChecks({ settings, ...options })));
}

test('a cluster in which the platform is installed, seen by the worker', async () => {
  const lines = await findings(await cluster());
  expect(lines.filter((line) => !line.startsWith('ok '))).toEqual([
    'unknown Kubernetes: admission policies: the account is not allowed to read them',
    'unknown Kubernetes: network policies: not probed by a worker yet',
  ]);
  expect(lines).toContain('ok Kubernetes: Pod Security: a privileged pod is denied');
  expect(lines).toContain(`ok agents: image ${PINNED}`);
});

test.each([
  ['codex-k8s/agent:7b7e103014af', 'ok agents: image codex-k8s/agent:7b7e103014af'],
  ['registry.example/agent:0.2.0', 'warning agents: image registry.example/agent:0.2.0: no digest'],
  ['registry.example/agent', 'warning agents: image registry.example/agent: no digest'],
])('the image %s of agents', async (image, line) => {
  expect(await findings(await cluster(), {}, image)).toContain(line);
});

test('an old cluster, missing rights, and policies that are not installed', async () => {
  const lines = await findings(
    await cluster({
      minor: '29+',
      policies: 'missing',
      admits: true,
      allows: (resource, verb) => resource !== 'jobs' || verb !== 'watch',
    }),
  );
  expect(lines.filter((line) => line.startsWith('failed'))).toEqual([
    expect.stringMatching(/version v1\.29/),
    expect.stringMatching(/permissions: 1 of \d+ missing: watch jobs\.batch$/),
    expect.stringMatching(/is cluster-admin, may read secrets, may bind roles that it does not hold$/),
    expect.stringMatching(/codex-k8s-pods, the binding of codex-k8s-pods missing$/),
    expect.stringMatching(/the worker may create a ConfigMap in the namespace default/),
    expect.stringMatching(/the worker may create a namespace without the labels/),
    expect.stringMatching(/a privileged pod may be created in codex-k8s$/),
  ]);
});

test("another account than the worker's is named", async () => {
  const lines = await findings(await cluster({ account: 'jane', policies: 'readable' }));
  expect(lines).toContain('failed Kubernetes: the account is jane');
  expect(lines).toContain(
    `ok Kubernetes: admission policies: all ${admissionPolicies().length} installed, with their bindings`,
  );
});

test('a recorded probe says whether network policies are enforced', async () => {
  const foundAt = new Date('2026-11-01T00:00:00Z');
  const probe = (state: NetworkState, agents: 'started' | 'stopped', detail = '') => ({
    networkProbe: async () => ({ state, detail, agents, foundAt }),
  });
  const at = '(probed at 2026-11-01T00:00:00.000Z)';
  const url = await cluster();
  expect(await findings(url, probe('enforced', 'started'))).toContain(
    `ok Kubernetes: network policies: enforced ${at}`,
  );
  const unenforced = `the cluster's network does not enforce policies: an agent could reach 10.0.0.1:5432 ${at}`;
  expect(await findings(url, probe('unenforced', 'stopped', '10.0.0.1:5432'))).toContain(
    `failed Kubernetes: network policies: no agent is started: ${unenforced}`,
  );
  expect(await findings(url, probe('unenforced', 'started', '10.0.0.1:5432'))).toContain(
    `warning Kubernetes: network policies: agents are started all the same, since CODEXK8S_ALLOW_UNENFORCED_NETWORK_POLICY=true allows it: ${unenforced}`,
  );
  expect(await findings(url, probe('unknown', 'stopped', 'no\nnode'))).toContain(
    `failed Kubernetes: network policies: no agent is started: whether the cluster's network enforces policies is not known: no node ${at}`,
  );
});

test.each(['started', 'stopped'] as const)(
  'a network without policies names the setting where agents are %s',
  (agents) => {
    const finding = { state: 'unenforced', detail: '10.0.0.1:5432', agents, foundAt: new Date() } as const;
    expect(networkPolicyAnswer(finding).remedy).toContain('CODEXK8S_ALLOW_UNENFORCED_NETWORK_POLICY');
  },
);

test('an API server that is away', async () => {
  expect((await findings('http://127.0.0.1:1'))[0]).toMatch(/^failed Kubernetes: .*ECONNREFUSED/);
});

test('the manifests name the rules and the policies', () => {
  expect(workerRules().some(({ resources }) => resources.includes('namespaces'))).toBe(true);
  expect(admissionPolicies()).toEqual(expect.arrayContaining(['codex-k8s-worker', 'codex-k8s-namespaces']));
});
