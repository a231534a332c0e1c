/** What was sent to a webhook, and sending it again. */
import { Hono } from 'hono';
import { notFound } from '../errors.ts';
import { requireRepo, type SandboxContext, type SandboxEnv } from '../http.ts';
import type { RepoRow } from '../rows.ts';
import type { Sandbox } from '../emulator.ts';
import type { Delivery } from '../webhooks/deliveries.ts';
import { requireHook } from './hooks.ts';

const CURSOR = 'v1_';

/** The list by cursor, one delivery in full, and a new attempt. */
export function deliveryRoutes(sandbox: Sandbox): Hono<SandboxEnv> {
  const app = new Hono<SandboxEnv>().basePath('/repos/:owner/:repo/hooks/:hook/deliveries');

  const requireDelivery = (c: SandboxContext, repo: RepoRow): Delivery => {
    const hook = requireHook(c, sandbox, repo);
    const delivery = sandbox.deliveries.get(hook.id, Number(c.req.param('delivery')));
    if (!delivery) throw notFound();
    return delivery;
  };

  app.get('/', (c) => {
    const hook = requireHook(c, sandbox, requireRepo(c, sandbox, 'admin'));
    const limit = Math.min(100, Math.max(1, Number.parseInt(c.req.query('per_page') ?? '', 10) || 30));
    const cursor = c.req.query('cursor');
    const status = c.req.query('status');
    const found = sandbox.deliveries.page({
      hookId: hook.id,
      limit: limit + 1,
      ...(cursor?.startsWith(CURSOR) && { before: Number(cursor.slice(CURSOR.length)) }),
      ...((status === 'success' || status === 'failure') && { status }),
    });
    const page = found.slice(0, limit);
    if (found.length > limit) c.header('Link', `<${nextPage(c, page.at(-1))}>; rel="next"`);
    return c.json(page.map(summary));
  });
  app.get('/:delivery', (c) => {
    const repo = requireRepo(c, sandbox, 'admin');
    const delivery = requireDelivery(c, repo);
    const { outcome } = delivery;
    return c.json({
      ...summary(delivery),
      url: outcome?.request.url,
      request: { headers: outcome?.request.headers, payload: JSON.parse(delivery.body) as unknown },
      response: outcome?.response,
    });
  });
  app.post('/:delivery/attempts', (c) => {
    sandbox.events.redeliver(requireDelivery(c, requireRepo(c, sandbox, 'admin')));
    return c.json({}, 202);
  });
  return app;
}

function nextPage(c: SandboxContext, last: Delivery | undefined): string {
  const url = new URL(c.req.url);
  url.searchParams.set('cursor', `${CURSOR}${last?.id}`);
  return url.href;
}

function summary({ id, guid, redelivery, event, action, repoId, outcome }: Delivery): Record<string, unknown> {
  return {
    id,
    guid,
    delivered_at: outcome?.deliveredAt,
    redelivery,
    duration: outcome?.durationSeconds,
    status: outcome?.status,
    status_code: outcome?.statusCode,
    event,
    action,
    installation_id: null,
    repository_id: repoId,
    throttled_at: null,
  };
}
