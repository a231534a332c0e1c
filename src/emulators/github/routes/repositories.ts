/** Repositories themselves: emulate changes them, and knows no name for what is archived. */
import { Hono } from 'hono';
import { requireAccount, type SandboxEnv } from '../http.ts';
import type { Sandbox } from '../emulator.ts';

/** Tells that a repository was archived, or is worked in again. */
export function repositoryRoutes({ rows, events }: Sandbox): Hono<SandboxEnv> {
  const app = new Hono<SandboxEnv>().basePath('/repos');

  app.patch('/:owner/:repo', async (c, next) => {
    const { owner, repo } = c.req.param();
    const { id, archived } = rows.repos.findOneBy('full_name', `${owner}/${repo}`) ?? {};
    await next();
    const changed = id === undefined ? undefined : rows.repos.get(id);
    if (!changed || changed.archived === archived) return;
    const action = changed.archived ? 'archived' : 'unarchived';
    events.emit({ event: 'repository', action, repo: changed, sender: requireAccount(c) });
  });
  return app;
}
