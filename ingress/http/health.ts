/** Health endpoints: liveness, readiness and metrics. */
import { Hono, type MiddlewareHandler } from 'hono';
import { routePath } from 'hono/route';
import { Histogram, type Registry } from 'prom-client';
import { cached } from './cached.ts';

export type Check = () => Promise<void>;

export interface HealthOptions {
  /** Required dependencies: a check that throws makes the process not ready. */
  readonly checks: Readonly<Record<string, Check>>;
  /** Dependencies that may be unavailable for a while: a check that throws is reported, and the process stays ready. */
  readonly degraded?: Readonly<Record<string, Check>>;
  readonly registry: Registry;
  /** Milliseconds for which results of checks are kept. */
  readonly keepMs?: number;
}

interface CheckResult {
  readonly status: 'ok' | 'failed' | 'degraded';
  readonly error?: string;
}

/** Milliseconds a check may take. */
const CHECK_LIMIT_MS = 2000;
/** Milliseconds for which results are kept: whoever asks more often learns nothing more. */
const KEEP_MS = 1000;

/** `/healthz`, `/readyz` and `/metrics`. However often they are asked, the checks run once in `keepMs`. */
export function createHealth({ checks, degraded = {}, registry, keepMs = KEEP_MS }: HealthOptions): Hono {
  const results = cached(
    async () =>
      Object.fromEntries(
        await Promise.all([
          ...Object.entries(checks).map(async ([name, check]) => [name, await result(check, 'failed')] as const),
          ...Object.entries(degraded).map(async ([name, check]) => [name, await result(check, 'degraded')] as const),
        ]),
      ),
    keepMs,
  );
  const app = new Hono();
  app.get('/healthz', (c) => c.json({ status: 'ok' }));

  app.get('/readyz', async (c) => {
    const found = await results();
    const statuses = new Set(Object.values(found).map(({ status }) => status));
    const status = (['failed', 'degraded'] as const).find((worst) => statuses.has(worst)) ?? 'ok';
    c.header('Cache-Control', 'no-store');
    return c.json({ status, checks: found }, status === 'failed' ? 503 : 200);
  });

  app.get('/metrics', async (c) => c.body(await registry.metrics(), 200, { 'Content-Type': registry.contentType }));
  return app;
}

/** Measures every request by method, route and status; a stream counts until its headers are sent. */
export function measureRequests(registry: Registry): MiddlewareHandler {
  const duration = new Histogram({
    name: 'codexk8s_http_request_duration_seconds',
    help: 'Duration of HTTP requests',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.02, 0.1, 0.5, 1, 5, 30],
    registers: [registry],
  });
  return async function measureRequest(c, next) {
    const end = duration.startTimer();
    await next();
    const method = METHODS.has(c.req.method) ? c.req.method : 'other';
    end({ method, route: routePath(c, -1), status: c.res.status });
  };
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** The outcome of a check, with the kind of its error only: an error's message may name hosts and users. */
async function result(check: Check, otherwise: 'failed' | 'degraded'): Promise<CheckResult> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<CheckResult>((resolve) => {
    timer = setTimeout(() => resolve({ status: otherwise, error: 'no answer in time' }), CHECK_LIMIT_MS);
  });
  const checked = async (): Promise<CheckResult> => {
    try {
      await check();
      return { status: 'ok' };
    } catch (error) {
      return { status: otherwise, error: kindOf(error) };
    }
  };
  try {
    return await Promise.race([checked(), limit]);
  } finally {
    clearTimeout(timer);
  }
}

function kindOf(error: unknown): string {
  if (!(error instanceof Error)) return 'error';
  const { code } = (error.cause ?? error) as { code?: unknown };
  return typeof code === 'string' ? code : error.name;
}
