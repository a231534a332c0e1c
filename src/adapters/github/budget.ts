/** Which requests create content on GitHub, which is limited apart from all others, and who counts them. */
import { GitHubAsksToWait, type GitHubWait } from './waits.ts';

/** The budget of one API address, shared by all processes that call it. */
export interface GitHubBudget {
  /**
   * Counts a write that is about to be sent; returns how long it has to wait when there is no room. What is a courtesy waits
   * earlier than what the work depends on.
   */
  take(write: { readonly courtesy: boolean }): Promise<GitHubWait | undefined>;
}

/** For a GitHub without limits. */
export const UNLIMITED: GitHubBudget = { take: () => Promise.resolve(undefined) };

/** A request as Octokit has it: `url` is the route, or an address. */
interface Asked {
  readonly method: string;
  readonly url: string;
}

const WRITES = new Set(['POST', 'PATCH', 'PUT']);
const CONTENT = /\/(comments|replies|reviews|labels|pulls|reactions)(\/|$)/;

/** Whether GitHub counts the request as creating content: comments, reviews, labels, pull requests and reactions. */
export function createsContent({ method, url }: Asked): boolean {
  return WRITES.has(method) && CONTENT.test(url);
}

/** Whether the work does without it for a while: a reaction, or news in a comment that is there. */
export function isCourtesy({ method, url }: Asked): boolean {
  return url.endsWith('/reactions') || (method === 'PATCH' && /\/comments\//.test(url));
}

/** Takes what a request needs of the budget. Throws {@link GitHubAsksToWait} when it has to wait, and must not be sent. */
export async function spend(budget: GitHubBudget, asked: Asked): Promise<void> {
  if (!createsContent(asked)) return;
  const spent = await budget.take({ courtesy: isCourtesy(asked) });
  if (spent) throw new GitHubAsksToWait(spent);
}
