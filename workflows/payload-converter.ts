/**
 * Keeps oversized payloads out of Temporal, on both sides: Temporal refuses two megabytes, and a client hangs with more than
 * five (docs/reliability.md T34). Texts belong into Postgres, and only their ids into payloads.
 */
import { ApplicationFailure, defaultPayloadConverter, type PayloadConverter } from '@temporalio/common';

/** Bytes of one argument or result. */
export const PAYLOAD_LIMIT = 256 * 1024;

/** The SDK finds it by this name, in the client, the worker and the workflows' bundle. */
export const payloadConverter: PayloadConverter = {
  toPayload(value) {
    // A payload with too much text is not even serialized: that alone can take a tenth of a second.
    if (hasMoreText(value, PAYLOAD_LIMIT)) throw tooLarge();
    const payload = defaultPayloadConverter.toPayload(value);
    if ((payload.data?.length ?? 0) > PAYLOAD_LIMIT) throw tooLarge();
    return payload;
  },
  fromPayload: (payload) => defaultPayloadConverter.fromPayload(payload),
};

/** A lower bound of the size: a character takes at least a byte. Visits a bounded number of values, so it ends. */
function hasMoreText(value: unknown, limit: number): boolean {
  const left: unknown[] = [value];
  let characters = 0;
  for (let looks = 0; left.length > 0 && looks < limit; looks += 1) {
    const next = left.pop();
    if (typeof next === 'string') characters += next.length;
    else if (next instanceof Uint8Array) characters += next.length;
    else if (typeof next === 'object' && next !== null) for (const inner of Object.values(next)) left.push(inner);
    if (characters > limit) return true;
  }
  return false;
}

function tooLarge(): ApplicationFailure {
  return ApplicationFailure.create({
    type: 'artifact_too_large',
    message: `more than the ${PAYLOAD_LIMIT} bytes that may pass through Temporal; keep it in Postgres`,
    nonRetryable: true,
  });
}
