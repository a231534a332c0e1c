/**
 * What emulate leaves out about repositories: webhook events for archiving and renaming, what an edit changed, the commit of a
 * branch, refs by their beginning, and the answers for an empty one.
 */
import { Hono } from 'hono';
import { GitHubError, notFound } from '../errors.ts';
import { requireAccount, requireRepo, type EmulatorContext, type EmulatorEnv } from '../http.ts';
import type { RepoRow } from '../rows.ts';
import type { Emulator } from '../emulator.ts';

/** Fields whose earlier value the event `repository.edited` tells. */
const EDITED = ['default_branch', 'description', 'homepage'] as const;

/** Emits `repository` events with the actions `archived`, `unarchived` and `renamed`. */
export function repositoryRoutes(emulator: Emulator): Hono<EmulatorEnv> {
  const { rows, events, show } = emulator;
  const app = new Hono<EmulatorEnv>().basePath('/repos');

  app.patch('/:owner/:repo', async (c, next) => {
    const { owner, repo } = c.req.param();
    const found = rows.repos.findOneBy('full_name', `${owner}/${repo}`);
    const before = found && { ...found };
    await next();
    const changed = before && rows.repos.get(before.id);
    if (!changed) return;
    events.amend('repository', { changes: changesOf(before, changed) });
    const about = { event: 'repository', repo: changed, sender: requireAccount(c) };
    if (changed.archived !== before.archived)
      events.emit({ ...about, action: changed.archived ? 'archived' : 'unarchived' });
    if (changed.name !== before.name)
      events.emit({ ...about, action: 'renamed', extra: { changes: { repository: { name: { from: before.name } } } } });
  });
  app.get('/:owner/:repo/branches/:branch{.+}', async (c, next) => {
    const branch = c.req.param('branch');
    if (branch.includes('/protection')) return next();
    const repo = requireRepo(c, emulator, 'read');
    const path = `/branches/${branch.split('/').map(encodeURIComponent).join('/')}`;
    const shown = await show.read(repo, path);
    const commit = shown && (await show.read(repo, `/commits/${(shown['commit'] as { sha: string }).sha}`));
    if (!commit) throw notFound();
    const self = `${show.baseUrl}/repos/${repo.full_name}${path}`;
    const html = `${show.baseUrl}/${repo.full_name}/tree/${branch}`;
    return c.json({ ...shown, commit, _links: { self, html }, protection: { enabled: shown['protected'] } });
  });

  const refuseEmpty = (c: EmulatorContext): void => {
    const repo = requireRepo(c, emulator, 'read');
    if (rows.refs.findBy('repo_id', repo.id).length === 0) throw new GitHubError(409, 'Git Repository is empty.');
  };
  for (const path of ['/:owner/:repo/git/:part{ref|refs|matching-refs}/*', '/:owner/:repo/commits/*'])
    app.use(path, async (c, next) => {
      refuseEmpty(c);
      await next();
    });
  app.get('/:owner/:repo/git/matching-refs/:ref{.+}', async (c) => {
    const repo = requireRepo(c, emulator, 'read');
    const beginning = `refs/${c.req.param('ref')}`;
    const found = rows.refs.findBy('repo_id', repo.id).filter(({ ref }) => ref.startsWith(beginning));
    return c.json(await Promise.all(found.map(({ ref }) => show.read(repo, `/git/ref/${ref.slice('refs/'.length)}`))));
  });
  return app;
}

function changesOf(before: RepoRow, after: RepoRow): Record<string, { from: unknown }> {
  const changed = EDITED.filter((field) => before[field] !== after[field]);
  return Object.fromEntries(changed.map((field) => [field, { from: before[field] }]));
}
