/** Webhook events of repositories: emulate changes them, but has no event for archiving. */
import { Hono } from 'hono';
import { requireAccount, type EmulatorEnv } from '../http.ts';
import type { Emulator } from '../emulator.ts';

/** Emits `repository` events with the actions `archived` and `unarchived`. */
export function repositoryRoutes({ rows, events }: Emulator): Hono<EmulatorEnv> {
  const app = new Hono<EmulatorEnv>().basePath('/repos');

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
