/** The emulator's HTTP application: its own routes first, emulate's for the rest. */
import { Hono, type MiddlewareHandler } from 'hono';
import { etag, RETAINED_304_HEADERS } from 'hono/etag';
import { mayAct } from './access.ts';
import { accountOf } from './accounts.ts';
import { answerError, GitHubError, notFound } from './errors.ts';
import { gitRoutes } from './git/http.ts';
import type { EmulatorContext, EmulatorEnv } from './http.ts';
import { pageRoutes } from './pages/routes.ts';
import { collaboratorRoutes } from './routes/collaborators.ts';
import { deliveryRoutes } from './routes/deliveries.ts';
import { environmentRoutes } from './routes/environments.ts';
import { graphqlRoutes } from './routes/graphql.ts';
import { hookRoutes } from './routes/hooks.ts';
import { issueRoutes } from './routes/issues.ts';
import { mergeRoutes } from './routes/merge.ts';
import { pullRoutes } from './routes/pulls.ts';
import { reactionRoutes } from './routes/reactions.ts';
import { repositoryRoutes } from './routes/repositories.ts';
import { reviewRoutes } from './routes/reviews.ts';
import { timelineRoutes } from './routes/timeline.ts';
import type { Emulator } from './emulator.ts';

/** Creates the application with all routes. */
export function createEmulatorApp(emulator: Emulator): Hono<EmulatorEnv> {
  const app = new Hono<EmulatorEnv>();
  app.onError(answerError);
  app.route('/', gitRoutes(emulator));
  app.use(identify(emulator), changeAlone(emulator));
  app.use('/repos/:owner/:repo/*', followRenames(emulator), hideUnseen(emulator));
  app.get('/repos/*', etag({ weak: true, retainedHeaders: [...RETAINED_304_HEADERS, 'link'] }));
  app.all('/repositories/:id{[0-9]+}/*', async (c) => {
    const row = emulator.rows.repos.get(Number(c.req.param('id')));
    if (!row) throw notFound();
    const rest = c.req.path.slice(`/repositories/${row.id}`.length);
    const { search } = new URL(c.req.url);
    return app.fetch(new Request(`${emulator.baseUrl}/repos/${row.full_name}${rest}${search}`, c.req.raw));
  });
  const routes = [
    hookRoutes,
    deliveryRoutes,
    reactionRoutes,
    collaboratorRoutes,
    environmentRoutes,
    timelineRoutes,
    issueRoutes,
    mergeRoutes,
    pullRoutes,
    reviewRoutes,
    graphqlRoutes,
    repositoryRoutes,
    pageRoutes,
  ];
  for (const create of routes) app.route('/', create(emulator));
  app.all('*', async (c) => {
    return emulator.api.fetch(await forwarded(c), c.get('account'));
  });
  return app;
}

/** Copies a request for emulate, which requires a JSON body where GitHub does not. */
async function forwarded(c: EmulatorContext): Promise<Request> {
  const { method, headers } = c.req.raw;
  if (method === 'GET' || method === 'HEAD') return new Request(c.req.url, { method, headers });
  const body = await c.req.arrayBuffer();
  return new Request(c.req.url, { method, headers, body: body.byteLength > 0 ? body : '{}' });
}

/** Sets the account of a request. An unknown token is an error even where no token is needed, as on GitHub. */
function identify({ rows, tokens }: Emulator): MiddlewareHandler<EmulatorEnv> {
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

/** A former name of a repository leads to its id, until another repository has that name; its id leads to its name. */
function followRenames({ rows, baseUrl }: Emulator): MiddlewareHandler<EmulatorEnv> {
  return async function followRenames(c, next) {
    const { owner, repo } = c.req.param() as { owner: string; repo: string };
    const former = `${owner}/${repo}`;
    const redirect = rows.repos.findOneBy('full_name', former)
      ? undefined
      : rows.redirects.findBy('from', former).findLast(({ repo_id }) => rows.repos.get(repo_id));
    if (!redirect) return next();
    const { pathname, search } = new URL(c.req.url);
    const url = `${baseUrl}/repositories/${redirect.repo_id}${pathname.slice(`/repos/${former}`.length)}${search}`;
    c.header('Location', url);
    const isRead = c.req.method === 'GET' || c.req.method === 'HEAD';
    return c.json({ message: isRead ? 'Moved Permanently' : 'Temporary Redirect', url }, isRead ? 301 : 307);
  };
}

/** What is in a repository that an account may not see is not there for it; emulate would answer 403. */
function hideUnseen(emulator: Emulator): MiddlewareHandler<EmulatorEnv> {
  return async function hideUnseen(c, next) {
    const { owner, repo } = c.req.param() as { owner: string; repo: string };
    const row = emulator.rows.repos.findOneBy('full_name', `${owner}/${repo}`);
    if (row && !mayAct(emulator.rows, c.get('account'), row, 'read')) throw notFound();
    await next();
  };
}

/** Runs writes one at a time, each after its whole body was received, and answers when the change is on disk. */
function changeAlone(emulator: Emulator): MiddlewareHandler<EmulatorEnv> {
  return async function changeAlone(c, next) {
    if (c.req.method === 'GET' || c.req.method === 'HEAD') return next();
    await c.req.arrayBuffer();
    await emulator.change(c.get('account'), next);
  };
}
