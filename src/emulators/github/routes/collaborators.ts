/** What role an account has on a repository. */
import { Hono } from 'hono';
import { roleOf, type Role } from '../access.ts';
import { notFound } from '../errors.ts';
import { requireAccount, requireRepo, type SandboxEnv } from '../http.ts';
import type { Sandbox } from '../emulator.ts';

/** The older, coarser word for each role. */
const PERMISSION: Record<Role, string> = {
  none: 'none',
  read: 'read',
  triage: 'read',
  write: 'write',
  maintain: 'write',
  admin: 'admin',
};

/** A stranger to the repository has the permission `none`; only an unknown account is not found. */
export function collaboratorRoutes(sandbox: Sandbox): Hono<SandboxEnv> {
  const { rows, show } = sandbox;
  const app = new Hono<SandboxEnv>().basePath('/repos/:owner/:repo/collaborators');

  app.get('/:login/permission', (c) => {
    const repo = requireRepo(c, sandbox, 'read');
    requireAccount(c);
    const account = rows.users.findOneBy('login', c.req.param('login'));
    if (!account) throw notFound();
    const role = roleOf(rows, account, repo);
    return c.json({ permission: PERMISSION[role], role_name: role, user: show.user(account.id) });
  });
  app.get('/:login', (c) => {
    const repo = requireRepo(c, sandbox, 'read');
    requireAccount(c);
    const account = rows.users.findOneBy('login', c.req.param('login'));
    if (!account || roleOf(rows, account, repo) === 'none') throw notFound();
    return c.body(null, 204);
  });
  return app;
}
