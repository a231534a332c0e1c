/** Everything the stand-in answers: its own routes first, emulate's for the rest. */
import { Hono, type MiddlewareHandler } from 'hono';
import { etag, RETAINED_304_HEADERS } from 'hono/etag';
import { accountOf } from './accounts.ts';
import { answerError, GitHubError } from './errors.ts';
import { gitRoutes } from './git/http.ts';
import type { SandboxContext, SandboxEnv } from './http.ts';
import { pageRoutes } from './pages/routes.ts';
import { collaboratorRoutes } from './routes/collaborators.ts';
import { deliveryRoutes } from './routes/deliveries.ts';
import { hookRoutes } from './routes/hooks.ts';
import { issueRoutes } from './routes/issues.ts';
import { mergeRoutes } from './routes/merge.ts';
import { pullRoutes } from './routes/pulls.ts';
import { reactionRoutes } from './routes/reactions.ts';
import { repositoryRoutes } from './routes/repositories.ts';
import { reviewRoutes } from './routes/reviews.ts';
import { timelineRoutes } from './routes/timeline.ts';
import type { Sandbox } from './emulator.ts';

/** Puts the routes together. */
export function createSandboxApp(sandbox: Sandbox): Hono<SandboxEnv> {
  const app = new Hono<SandboxEnv>();
  app.onError(answerError);
  app.route('/', gitRoutes(sandbox));
  app.use(identify(sandbox), changeAlone(sandbox));
  app.get('/repos/*', etag({ weak: true, retainedHeaders: [...RETAINED_304_HEADERS, 'link'] }));
  const routes = [
    hookRoutes,
    deliveryRoutes,
    reactionRoutes,
    collaboratorRoutes,
    timelineRoutes,
    issueRoutes,
    mergeRoutes,
    pullRoutes,
    reviewRoutes,
    repositoryRoutes,
    pageRoutes,
  ];
  for (const create of routes) app.route('/', create(sandbox));
  app.all('*', async (c) => {
    return sandbox.api.fetch(await forwarded(c), c.get('account'));
  });
  return app;
}

/** The same request for emulate, which wants a JSON body where GitHub does without. */
async function forwarded(c: SandboxContext): Promise<Request> {
  const { method, headers } = c.req.raw;
  if (method === 'GET' || method === 'HEAD') return new Request(c.req.url, { method, headers });
  const body = await c.req.arrayBuffer();
  return new Request(c.req.url, { method, headers, body: body.byteLength > 0 ? body : '{}' });
}

/** Says who asks. A token nobody has is an error even where none is needed, as on GitHub. */
function identify({ rows, tokens }: Sandbox): MiddlewareHandler<SandboxEnv> {
  return async function identify(c, next) {
    const header = c.req.header('authorization');
    const account = accountOf(rows, tokens, header);
    if (header && !account) throw new GitHubError(401, 'Bad credentials');
    c.set('account', account);
    await next();
    c.header('X-GitHub-Media-Type', 'github.v3; format=json');
    c.header('X-RateLimit-Limit', '5000');
    c.header('X-RateLimit-Remaining', '4999');
    c.header('X-RateLimit-Reset', String(Math.floor(Date.now() / 1000) + 3600));
  };
}

/** Runs each write alone, once its body is here, and answers when it is on disk. */
function changeAlone(sandbox: Sandbox): MiddlewareHandler<SandboxEnv> {
  return async function changeAlone(c, next) {
    if (c.req.method === 'GET' || c.req.method === 'HEAD') return next();
    await c.req.arrayBuffer();
    await sandbox.change(c.get('account'), next);
  };
}
