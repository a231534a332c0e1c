/** Deliveries of a webhook, and their redelivery. */
import { Hono } from 'hono';
import { notFound } from '../errors.ts';
import { type EmulatorContext, type EmulatorEnv } from '../http.ts';
import type { RepoRow } from '../rows.ts';
import type { Emulator } from '../emulator.ts';
import type { Delivery } from '../webhooks/deliveries.ts';
import { requireHook, requireHookedRepo } from './hooks.ts';

const CURSOR = 'v1_';

/** Lists deliveries by cursor, shows one in full, and redelivers it. */
export function deliveryRoutes(emulator: Emulator): Hono<EmulatorEnv> {
  const app = new Hono<EmulatorEnv>().basePath('/repos/:owner/:repo/hooks/:hook/deliveries');

  const requireDelivery = (c: EmulatorContext, repo: RepoRow): Delivery => {
    const hook = requireHook(c, emulator, repo);
    const delivery = emulator.deliveries.get(hook.id, Number(c.req.param('delivery')));
    if (!delivery) throw notFound();
    return delivery;
  };

  app.get('/', (c) => {
    const hook = requireHook(c, emulator, requireHookedRepo(c, emulator));
    const limit = Math.min(100, Math.max(1, Number.parseInt(c.req.query('per_page') ?? '', 10) || 30));
    const cursor = c.req.query('cursor');
    const status = c.req.query('status');
    const found = emulator.deliveries.page({
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
    const repo = requireHookedRepo(c, emulator);
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
    emulator.events.redeliver(requireDelivery(c, requireHookedRepo(c, emulator)));
    return c.json({}, 202);
  });
  return app;
}

function nextPage(c: EmulatorContext, last: Delivery | undefined): string {
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
