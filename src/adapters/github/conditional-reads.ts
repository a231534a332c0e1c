/** Conditional requests, which do not count against the rate limit while GitHub answers `304 Not Modified`. */
import type { Octokit } from '@octokit/rest';

/** Answers that are remembered, in this process only; the one that was used longest ago is forgotten first. */
const REMEMBERED = 2000;

interface Remembered<Kept> {
  readonly etag: string;
  readonly kept: Kept;
}

/** Remembers of each answer what its reader keeps of it, and gives that again when GitHub says that nothing has changed. */
export function createConditionalReads<Kept>(octokit: Octokit) {
  const answers = new Map<string, Remembered<Kept>>();

  function remember(key: string, answer: Remembered<Kept>): void {
    answers.delete(key);
    answers.set(key, answer);
    const [oldest] = answers.keys();
    if (answers.size > REMEMBERED && oldest !== undefined) answers.delete(oldest);
  }

  return {
    /** Requests a route of Octokit's; throws what Octokit throws. */
    async read(
      route: string,
      parameters: Readonly<Record<string, string | number>>,
      keep: (data: unknown, headers: { readonly link?: string | undefined }) => Kept,
    ): Promise<Kept> {
      const key = `${route} ${JSON.stringify(parameters)}`;
      const known = answers.get(key);
      try {
        const { data, headers } = await octokit.request(route, {
          ...parameters,
          ...(known ? { headers: { 'if-none-match': known.etag } } : {}),
        });
        const kept = keep(data, headers);
        if (headers.etag !== undefined) remember(key, { etag: headers.etag, kept });
        return kept;
      } catch (error) {
        if (!known || (error as { status?: number }).status !== 304) throw error;
        remember(key, known);
        return known.kept;
      }
    },
  };
}
