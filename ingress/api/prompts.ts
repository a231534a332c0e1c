/** The staff API's prompts: what replaces the tasks of prompt seeds, and what the agent of a run was told. */
import type { Hono } from 'hono';
import { z } from 'zod';
import { PROMPT_KINDS, TASK_BYTES } from '../../src/domain/agent/prompt-overrides.ts';
import { LOCALES } from '../../src/domain/locale.ts';
import { STAGES } from '../../src/domain/stages/stages.ts';
import type { Database } from '../../src/store/connection/database.ts';
import { findRunPrompt } from '../../src/store/runs/assignments.ts';
import type { PromptOverrides } from '../../src/use-cases/prompt-overrides.ts';
import { RequestRefused } from '../http/errors.ts';
import { checked, jsonBody, line, RunId, slug } from './requests.ts';

const place = {
  kind: z.enum(PROMPT_KINDS).default('work'),
  /** Without a project: of the installation. */
  project: slug.optional(),
  locale: z.enum([...LOCALES, 'any']).default('any'),
};
const stage = z.enum(STAGES.map(({ stage }) => stage));
const version = z.coerce.number().int().min(0).max(1_000_000);
const actor = line.max(100).default('');

export const PromptsQuery = z.strictObject({ project: slug.optional() });
export const PromptQuery = z.strictObject({ ...place, version: version.optional() });
export const PromptDiffQuery = z.strictObject({ ...place, from: version, to: version });
export const PromptBody = z.strictObject({ ...place, body: z.string().max(TASK_BYTES), actor });
export const PromptRollbackBody = z.strictObject({ ...place, to: version, actor });

/** Adds the routes. */
export function addPromptRoutes(app: Hono, { db, prompts }: { db: Database; prompts: PromptOverrides }): void {
  const at = (given: string, { kind, project, locale }: z.output<typeof PromptQuery>) => ({
    stage: checked(stage, given, 'stage'),
    kind,
    locale,
    project: project ?? null,
  });

  app.get('/prompts', async (c) => {
    const { project } = checked(PromptsQuery, c.req.query());
    return c.json({ items: await prompts.list(project ?? null) });
  });

  app.get('/prompts/:stage', async (c) => {
    const query = checked(PromptQuery, c.req.query());
    return c.json(await prompts.show(at(c.req.param('stage'), query), query.version));
  });

  app.get('/prompts/:stage/diff', async (c) => {
    const query = checked(PromptDiffQuery, c.req.query());
    return c.json({ diff: await prompts.diff(at(c.req.param('stage'), query), query.from, query.to) });
  });

  app.post('/prompts/:stage', async (c) => {
    const body = checked(PromptBody, await jsonBody(c));
    const said = { body: body.body, author: body.actor };
    return c.json(await prompts.set(at(c.req.param('stage'), body), said), 201);
  });

  app.post('/prompts/:stage/rollback', async (c) => {
    const body = checked(PromptRollbackBody, await jsonBody(c));
    const said = { to: body.to, author: body.actor };
    return c.json(await prompts.rollBack(at(c.req.param('stage'), body), said), 201);
  });

  app.get('/runs/:id/prompt', async (c) => {
    const runId = checked(RunId, c.req.param('id'), 'id');
    const found = await findRunPrompt(db, runId);
    if (!found) throw new RequestRefused('not_found', `there is no prompt of a run ${runId}`, 'id');
    if (found.prompt === '')
      throw new RequestRefused(
        'not_found',
        `the prompt of run ${runId} is older than CODEXK8S_KEEP_CONVERSATIONS_DAYS and was removed; its SHA-256 was ${found.sha256}`,
        'id',
      );
    return c.json(found);
  });
}
