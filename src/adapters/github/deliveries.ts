/** What GitHub sent to a webhook and how that ended; and having it sent again. GitHub never does that by itself. */
import type { Octokit } from '@octokit/rest';
import type { DeliveryAttempt } from '../../domain/maintenance/redelivery.ts';
import { createConditionalReads } from './conditional-reads.ts';

interface Hook {
  readonly owner: string;
  readonly name: string;
  readonly hookId: number;
}

/** Pages of a hundred: what does not fit is told of as cut short, and comes when GitHub has forgotten the rest. */
const PAGES = 20;

const ROUTE = 'GET /repos/{owner}/{repo}/hooks/{hook_id}/deliveries';

export function createDeliveries(octokit: Octokit) {
  const reads = createConditionalReads<AttemptPage>(octokit);

  return {
    /**
     * The failed attempts since a moment (ISO 8601), of deliveries that may have succeeded since. A hook without failures
     * costs one conditional request. `complete` is false when there were more pages than are read at once.
     */
    async listFailedDeliveries(
      { owner, name, hookId }: Hook,
      since: string,
    ): Promise<{ attempts: DeliveryAttempt[]; complete: boolean }> {
      const attempts: DeliveryAttempt[] = [];
      let cursor: string | undefined;
      for (let page = 0; page < PAGES; page += 1) {
        const shown = await reads.read(
          ROUTE,
          {
            owner,
            repo: name,
            hook_id: hookId,
            status: 'failure',
            per_page: 100,
            ...(cursor === undefined ? {} : { cursor }),
          },
          pageOf,
        );
        attempts.push(...shown.attempts.filter(({ deliveredAt }) => Date.parse(deliveredAt) >= Date.parse(since)));
        const oldest = shown.attempts.at(-1);
        if (shown.cursor === undefined || !oldest || Date.parse(oldest.deliveredAt) < Date.parse(since))
          return { attempts, complete: true };
        ({ cursor } = shown);
      }
      return { attempts, complete: false };
    },

    /** Has a delivery sent again, with its guid and its bytes. GitHub says `202` and does it by and by. */
    async redeliver({ owner, name, hookId }: Hook, delivery: number): Promise<void> {
      await octokit.rest.repos.redeliverWebhookDelivery({
        owner,
        repo: name,
        hook_id: hookId,
        delivery_id: delivery,
      });
    },
  };
}

interface AttemptPage {
  readonly attempts: readonly DeliveryAttempt[];
  readonly cursor: string | undefined;
}

interface ShownDelivery {
  readonly id: number;
  readonly guid: string;
  readonly delivered_at: string;
  readonly status_code: number;
  readonly throttled_at?: string | null;
}

function pageOf(data: unknown, headers: { readonly link?: string | undefined }): AttemptPage {
  const cursor = /[?&]cursor=([^&>]+)[^>]*>; rel="next"/.exec(headers.link ?? '')?.[1];
  return {
    attempts: (data as ShownDelivery[]).map((shown) => ({
      id: shown.id,
      guid: shown.guid,
      deliveredAt: shown.delivered_at,
      statusCode: shown.status_code,
      throttledAt: shown.throttled_at ?? null,
    })),
    cursor: cursor === undefined ? undefined : decodeURIComponent(cursor),
  };
}
