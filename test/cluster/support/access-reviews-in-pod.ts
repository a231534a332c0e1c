/**
 * Run by node inside a pod: asks the API server what the pod's own account may do, one SelfSubjectAccessReview for each of the
 * probes in the first argument (JSON), and prints the positions of what is allowed. Without a token in the pod it says whether the
 * API server is out of reach.
 */
import { existsSync, readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { text } from 'node:stream/consumers';

const MOUNTED = '/var/run/secrets/kubernetes.io/serviceaccount';

interface Probe {
  readonly group: string;
  readonly resource: string;
  readonly verb: string;
  readonly namespace: string;
}

const probes = JSON.parse(process.argv[1] ?? '[]') as Probe[];
const agent = new Agent({ keepAlive: true, maxSockets: 4 });

/** The answer to a review: its status and its body. */
async function ask(
  token: string,
  { group, resource, verb, namespace }: Probe,
): Promise<{ code: number; body: string }> {
  const [name, subresource] = resource.split('/');
  // One that is busy is slow to answer, one that is out of reach never does.
  const limitMs = token === '' ? 3000 : 60_000;
  const { promise, resolve, reject } = Promise.withResolvers<{ code: number; body: string }>();
  const asking = request(
    {
      host: process.env['KUBERNETES_SERVICE_HOST'],
      port: process.env['KUBERNETES_SERVICE_PORT'],
      path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      ...(token === '' ? { rejectUnauthorized: false } : { ca: readFileSync(`${MOUNTED}/ca.crt`) }),
      agent,
      timeout: limitMs,
    },
    (answer) => void text(answer).then((body) => resolve({ code: answer.statusCode ?? 0, body }), reject),
  );
  asking.once('timeout', () => asking.destroy(new Error(`no answer within ${limitMs / 1000} s`)));
  asking.once('error', reject);
  asking.end(
    JSON.stringify({
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes: { group, resource: name, subresource, verb, namespace } },
    }),
  );
  return promise;
}

async function isAllowed(token: string, probe: Probe): Promise<boolean> {
  const { code, body } = await ask(token, probe);
  if (code !== 201) throw new Error(`${code} ${body}`);
  return (JSON.parse(body) as { status: { allowed: boolean } }).status.allowed;
}

async function isOutOfReach(): Promise<boolean> {
  return ask('', { group: '', resource: 'pods', verb: 'list', namespace: 'default' }).then(
    () => false,
    () => true,
  );
}

if (existsSync(`${MOUNTED}/token`)) {
  const token = readFileSync(`${MOUNTED}/token`, 'utf8');
  const answers = await Promise.all(probes.map((probe) => isAllowed(token, probe)));
  process.stdout.write(JSON.stringify({ allowed: answers.flatMap((allowed, at) => (allowed ? [at] : [])) }));
} else {
  process.stdout.write(JSON.stringify({ outOfReach: await isOutOfReach() }));
}
