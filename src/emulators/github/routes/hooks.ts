/** Webhooks of a repository. Their secrets can be set and are never shown. */
import { Hono } from 'hono';
import { mayAct } from '../access.ts';
import { GitHubError, invalid, notFound } from '../errors.ts';
import { jsonBody, pageOf, requireAccount, requireRepo, type EmulatorContext, type EmulatorEnv } from '../http.ts';
import type { HookRow, RepoRow } from '../rows.ts';
import type { Emulator } from '../emulator.ts';

const MASK = '********';
const UNUSED = { code: null, status: 'unused', message: null };
const ZEN = 'Keep it logically awesome.';

/** List, create, read, change, delete, ping and test. */
export function hookRoutes(emulator: Emulator): Hono<EmulatorEnv> {
  const { rows, events, mirror, deliveries, baseUrl } = emulator;
  const app = new Hono<EmulatorEnv>().basePath('/repos/:owner/:repo/hooks');

  const shown = (repo: RepoRow, hook: HookRow): Record<string, unknown> => {
    const url = `${baseUrl}/repos/${repo.full_name}/hooks/${hook.id}`;
    const { secret, ...config } = hook.config;
    const last = deliveries.page({ hookId: hook.id, limit: 1 })[0]?.outcome;
    const { id, name, active, events: wanted, created_at, updated_at } = hook;
    const links = { url, test_url: `${url}/tests`, ping_url: `${url}/pings`, deliveries_url: `${url}/deliveries` };
    const last_response = last
      ? { code: last.statusCode, status: last.status === 'OK' ? 'active' : 'error', message: last.status }
      : UNUSED;
    const masked = { ...config, ...(secret && { secret: MASK }) };
    const dates = { created_at, updated_at };
    return { type: 'Repository', id, name, active, events: wanted, config: masked, ...dates, ...links, last_response };
  };
  const ping = (c: EmulatorContext, repo: RepoRow, hook: HookRow): void => {
    const extra = { zen: ZEN, hook_id: hook.id, hook: { ...shown(repo, hook), last_response: UNUSED } };
    events.emit({ event: 'ping', repo, sender: requireAccount(c), hook, extra });
  };

  app.get('/', (c) => {
    const repo = requireHookedRepo(c, emulator);
    return c.json(pageOf(c, rows.webhooks.findBy('repo_id', repo.id)).map((hook) => shown(repo, hook)));
  });
  app.post('/', async (c) => {
    const repo = requireHookedRepo(c, emulator);
    const body = await jsonBody(c);
    const hook = rows.webhooks.insert({
      repo_id: repo.id,
      org_id: null,
      name: 'web',
      active: body['active'] !== false,
      events: strings(body['events']) ?? ['push'],
      config: configFrom(body['config']),
      last_response: UNUSED,
    });
    ping(c, repo, hook);
    return c.json(shown(repo, hook), 201);
  });
  app.get('/:hook', (c) => {
    const repo = requireHookedRepo(c, emulator);
    return c.json(shown(repo, requireHook(c, emulator, repo)));
  });
  app.patch('/:hook', async (c) => {
    const repo = requireHookedRepo(c, emulator);
    const hook = requireHook(c, emulator, repo);
    const body = await jsonBody(c);
    const added = strings(body['add_events']) ?? [];
    const removed = strings(body['remove_events']) ?? [];
    const wanted = strings(body['events']) ?? [...new Set([...hook.events, ...added])];
    const updated = rows.webhooks.update(hook.id, {
      active: typeof body['active'] === 'boolean' ? body['active'] : hook.active,
      events: wanted.filter((event) => !removed.includes(event)),
      config: body['config'] === undefined ? hook.config : configFrom(body['config'], hook.config),
    });
    return c.json(shown(repo, updated ?? hook));
  });
  app.delete('/:hook', (c) => {
    rows.webhooks.delete(requireHook(c, emulator, requireHookedRepo(c, emulator)).id);
    return c.body(null, 204);
  });
  app.post('/:hook/pings', (c) => {
    const repo = requireHookedRepo(c, emulator);
    ping(c, repo, requireHook(c, emulator, repo));
    return c.body(null, 204);
  });
  app.post('/:hook/tests', async (c) => {
    const repo = requireHookedRepo(c, emulator);
    const hook = requireHook(c, emulator, repo);
    const after = rows.refs
      .findBy('repo_id', repo.id)
      .find(({ ref }) => ref === `refs/heads/${repo.default_branch}`)?.sha;
    if (!after) throw new GitHubError(422, `${mirror.directory(repo)} has no commit to test with`);
    const extra = { ref: `refs/heads/${repo.default_branch}`, before: after, after, commits: [], head_commit: null };
    events.emit({ event: 'push', repo, sender: requireAccount(c), hook, extra });
    return c.body(null, 204);
  });
  return app;
}

/** The repository of the path; its webhooks are not there for who is no admin, as on GitHub. */
export function requireHookedRepo(c: EmulatorContext, emulator: Emulator): RepoRow {
  const repo = requireRepo(c, emulator, 'read');
  if (!mayAct(emulator.rows, requireAccount(c), repo, 'admin')) throw notFound();
  return repo;
}

/** The hook of the path. */
export function requireHook(c: EmulatorContext, { rows }: Emulator, repo: RepoRow): HookRow {
  const hook = rows.webhooks.get(Number(c.req.param('hook')));
  if (hook?.repo_id !== repo.id) throw notFound();
  return hook;
}

function strings(value: unknown): string[] | undefined {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : undefined;
}

function configFrom(value: unknown, before?: HookRow['config']): HookRow['config'] {
  const config = (typeof value === 'object' ? value : null) as Record<string, unknown> | null;
  const text = (name: keyof HookRow['config']): string | undefined => {
    const given = config?.[name];
    return (typeof given === 'string' || typeof given === 'number') && given !== MASK ? `${given}` : before?.[name];
  };
  const url = text('url');
  if (!url || !URL.canParse(url)) throw invalid('Hook', 'url', 'custom', 'url must be a valid URL');
  const secret = text('secret');
  return {
    url,
    content_type: text('content_type') ?? 'json',
    insecure_ssl: text('insecure_ssl') ?? '0',
    ...(secret && { secret }),
  };
}
