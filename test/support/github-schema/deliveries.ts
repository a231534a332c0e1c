/** Payloads of webhooks, compared with GitHub's schemas of them (`@octokit/webhooks-schemas`). */
import { createRequire } from 'node:module';
import { Ajv } from 'ajv';
import { fullFormats } from 'ajv-formats/dist/formats.js';
import type { Finding } from './exchanges.ts';
import { faultsIn } from './json-schema.ts';

let schemas: Ajv | undefined;

/** Everything in a payload that GitHub does not describe. An event without actions has none. */
export function compareDelivery(event: string, payload: Readonly<Record<string, unknown>>): Finding[] {
  schemas ??= read();
  const action = typeof payload['action'] === 'string' ? payload['action'] : 'event';
  const operation = action === 'event' ? event : `${event}.${action}`;
  const as = { operation, part: 'delivery' } as const;
  const validate = schemas.getSchema(`webhooks#/definitions/${event}$${action}`);
  if (!validate) return [{ ...as, at: '', problem: 'GitHub has no such event' }];
  if (validate(payload) === true) return [];
  return faultsIn(validate.errors ?? []).map((fault) => ({ ...as, ...fault }));
}

function read(): Ajv {
  const schema = createRequire(import.meta.url)('@octokit/webhooks-schemas') as object;
  const ajv = new Ajv({ strict: false, allErrors: true, inlineRefs: false, formats: fullFormats, logger: false });
  return ajv.addSchema(schema, 'webhooks');
}
