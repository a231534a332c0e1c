/** Permission of an account on a repository. */
import { Hono } from 'hono';
import { roleOf, type Role } from '../access.ts';
import { notFound } from '../errors.ts';
import { requireAccount, requireRepo, type EmulatorEnv } from '../http.ts';
import type { Emulator } from '../emulator.ts';

/** The value of `permission`, which is older and coarser than `role_name`, for each role. */
const PERMISSION: Record<Role, string> = {
  none: 'none',
  read: 'read',
  triage: 'read',
  write: 'write',
  maintain: 'write',
  admin: 'admin',
};

const RANKS = { pull: 1, triage: 2, push: 3, maintain: 4, admin: 5 };
const RANK: Record<Role, number> = { none: 0, read: 1, triage: 2, write: 3, maintain: 4, admin: 5 };

function permissionsOf(role: Role): Record<string, boolean> {
  return Object.fromEntries(Object.entries(RANKS).map(([name, rank]) => [name, RANK[role] >= rank]));
}

/** An account without a role has the permission `none`; only an unknown account is a 404. */
export function collaboratorRoutes(emulator: Emulator): Hono<EmulatorEnv> {
  const { rows, show } = emulator;
  const app = new Hono<EmulatorEnv>().basePath('/repos/:owner/:repo/collaborators');

  app.get('/:login/permission', (c) => {
    const repo = requireRepo(c, emulator, 'read');
    requireAccount(c);
    const account = rows.users.findOneBy('login', c.req.param('login'));
    if (!account) throw notFound();
    const role = roleOf(rows, account, repo);
    return c.json({
      permission: PERMISSION[role],
      role_name: role,
      user: { ...show.user(account.id), permissions: permissionsOf(role), role_name: role },
    });
  });
  app.put('/:login', async (c, next) => {
    await next();
    // GitHub invites; here everybody accepts at once, as if they had been one before.
    if (c.res.ok) c.res = c.body(null, 204);
  });
  app.get('/:login', (c) => {
    const repo = requireRepo(c, emulator, 'read');
    requireAccount(c);
    const account = rows.users.findOneBy('login', c.req.param('login'));
    if (!account || roleOf(rows, account, repo) === 'none') throw notFound();
    return c.body(null, 204);
  });
  return app;
}
