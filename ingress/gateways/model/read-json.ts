/** Reads bodies of JSON within a budget of memory. */

/** Bytes. */
export interface BodyLimits {
  /** Of one request: a conversation with all its images. */
  readonly request: number;
  /** Of all requests that are being read. */
  readonly together: number;
}

export const BODY_LIMITS: BodyLimits = { request: 32 * 1024 * 1024, together: 128 * 1024 * 1024 };

type Read = { readonly json: unknown } | 'too_large' | 'no_space' | 'no_json';

/** Makes a reader; it reads as long as the budget for all requests has room. */
export function createJsonReader(limits: BodyLimits): (request: Request) => Promise<Read> {
  const budget = { left: limits.together };
  return async ({ body }) => {
    const chunks: Uint8Array[] = [];
    let length = 0;
    try {
      for await (const chunk of body ?? []) {
        if (length + chunk.length > limits.request) return 'too_large';
        if (chunk.length > budget.left) return 'no_space';
        length += chunk.length;
        budget.left -= chunk.length;
        chunks.push(chunk);
      }
      const text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
      return { json: JSON.parse(text) as unknown };
    } catch (error) {
      if (error instanceof SyntaxError || error instanceof TypeError) return 'no_json';
      throw error;
    } finally {
      budget.left += length;
    }
  };
}
