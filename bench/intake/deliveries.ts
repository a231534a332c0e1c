/** Signed deliveries of `issues.labeled`, all different, made from GitHub's own example payload. */
import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { deliveryHeaders } from '../../src/github-deliveries/headers.ts';

export const SECRET = 'the webhook secret of the benchmark';
/** Of somebody who does not know it. */
export const OTHER_SECRET = 'a secret that no server of the benchmark has';

/** The path of the webhook of all subjects. */
export const PATH = '/api/v1/webhooks/github';

/** Whose label it is; bound and allowed before the measurement. */
export const REPOSITORY = { id: 186_853_002, owner: 'Codertocat', name: 'Hello-World' };
export const SENDER = { id: 21_031_067, login: 'Codertocat' };

export interface SignedDelivery {
  readonly id: string;
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

interface Example {
  readonly action: string;
  readonly issue: Record<string, unknown>;
  readonly label: { readonly name: string };
}

/** Stands where the issue's number goes; no number of the example. */
const PLACEHOLDER = 987_654_321;

const [before, after] = template();

/** A delivery about the issue of this number. */
export function deliveryAbout(issue: number, secret = SECRET): SignedDelivery {
  const id = randomUUID();
  const body = Buffer.from(`${before}${issue}${after}`);
  return {
    id,
    body,
    headers: deliveryHeaders({ id, event: 'issues', body, secret }),
  };
}

function template(): [string, string] {
  const definitions = createRequire(import.meta.url)('@octokit/webhooks-examples') as readonly {
    readonly name: string;
    readonly examples: readonly Example[];
  }[];
  const example = definitions
    .find(({ name }) => name === 'issues')
    ?.examples.find(({ action }) => action === 'labeled');
  if (!example) throw new Error('@octokit/webhooks-examples has no issues.labeled');
  const label = { ...example.label, name: 'run:dev' };
  const payload = { ...example, label, issue: { ...example.issue, number: PLACEHOLDER, labels: [label] } };
  const [start, end] = JSON.stringify(payload).split(String(PLACEHOLDER));
  if (start === undefined || end === undefined) throw new Error('the example has no place for the number');
  return [start, end];
}
