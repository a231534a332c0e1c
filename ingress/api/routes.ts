/** The staff API at `/api/v1`. */
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { ApprovalPolicy } from '../../src/domain/approvals/policy.ts';
import { isTerminal } from '../../src/domain/run/runs.ts';
import { findNetworkFinding } from '../../src/store/workspaces/cluster-findings.ts';
import type { Database } from '../../src/store/connection/database.ts';
import { listDeliveries } from '../../src/read-model/queries/deliveries.ts';
import { listRunEvents, newestIssueEvents, newestToolEvents } from '../../src/read-model/queries/events.ts';
import { findIssue, findIssueByName, listIssues, type IssueRecord } from '../../src/read-model/queries/issues.ts';
import { readLog } from '../../src/read-model/queries/log.ts';
import { listCosts } from '../../src/store/money/costs.ts';
import { setProject } from '../../src/store/projects/repositories.ts';
import type { PromptOverrides } from '../../src/use-cases/prompt-overrides.ts';
import type { RepositoryBinding } from '../../src/use-cases/repository-binding.ts';
import { listRequestedRuns } from '../../src/read-model/queries/requested-runs.ts';
import { findRunRecord, listRuns, type RunRecord } from '../../src/read-model/queries/runs.ts';
import { answerErrors, answerNotFound, bodyTooLarge, RequestRefused, type ErrorLog } from '../http/errors.ts';
import type { StaffAccess } from './access.ts';
import { cancelRun, type RunControl } from './cancel.ts';
import { addDecisionRoutes } from './decisions.ts';
import { addPromptRoutes } from './prompts.ts';
import * as requests from './requests.ts';
import { answerRun, pauseRun, resumeRun } from './waits.ts';
import type { RunUpdates } from '../relay/run-updates.ts';
import {
  clusterView,
  deliveryView,
  eventView,
  issueView,
  logLineView,
  runView,
  type CostsView,
  type IssueDetailsView,
  type LogView,
  type RunView,
} from './views.ts';

const { checked, jsonBody } = requests;

/** What is known of workers; the port of src/temporal/worker-presence.ts. */
export interface Workers {
  /** Since when none takes tasks; undefined while one does. */
  absentSince(): Date | undefined;
}

export interface StaffApiOptions {
  readonly db: Database;
  readonly control: RunControl;
  readonly updates: RunUpdates;
  readonly repositories: RepositoryBinding;
  readonly prompts: PromptOverrides;
  readonly policy: ApprovalPolicy;
  readonly access: StaffAccess;
  readonly workers: Workers;
  readonly log: ErrorLog;
}

/** The paths of this router; other routers are mounted at `/api/v1` too. */
const PATHS = [
  '/runs',
  '/costs',
  '/issues',
  '/deliveries',
  '/cluster',
  '/repositories',
  '/projects',
  '/members',
  '/prompts',
  '/decisions',
  '/policy',
];
const BODY_BYTES = 65_536;
const ISSUE_RUNS = 50;
const ISSUE_EVENTS = 200;

/** The router, to be mounted at `/api/v1`. */
export function createStaffApi(options: StaffApiOptions): Hono {
  const { db, control, updates, repositories, prompts, policy, access, workers, log } = options;
  const app = new Hono();
  app.onError(answerErrors(log));

  for (const path of PATHS) {
    app.use(`${path}/*`, bodyLimit({ maxSize: BODY_BYTES, onError: bodyTooLarge }), async (c, next) => {
      c.header('Cache-Control', 'no-store');
      if (c.req.method === 'GET' || c.req.method === 'HEAD') access.requireReader(c);
      else access.requireStaff(c);
      await next();
    });
  }

  app.get('/runs', async (c) => {
    const { limit, cursor, status, issue, repository, id } = checked(requests.RunsQuery, c.req.query());
    const filter = { status, issueKey: issue, repository, idPrefix: id };
    const { items, next } = await listRuns(db, filter, { limit, cursor });
    const requested = cursor === undefined ? await listRequestedRuns(db, workers.absentSince(), filter) : [];
    return c.json({ items: [...requested, ...items].map(viewOf), next });
  });

  app.get('/runs/:id', async (c) => c.json(viewOf(await theRun(c.req.param('id')))));

  app.get('/runs/:id/events', async (c) => {
    const { after, limit } = checked(requests.EventsQuery, c.req.query());
    const { id } = await theRun(c.req.param('id'));
    const events = await listRunEvents(db, id, { afterSeq: after, limit });
    return c.json({ items: events.map(eventView), after: events.at(-1)?.seq ?? after });
  });

  app.get('/runs/:id/tool-events', async (c) => {
    const { limit } = checked(requests.EventsQuery, c.req.query());
    const { id } = await theRun(c.req.param('id'));
    return c.json({ items: (await newestToolEvents(db, id, limit)).map(eventView) });
  });

  app.get('/runs/:id/log', async (c) => {
    const { after, limit } = checked(requests.LogQuery, c.req.query());
    const { id, status } = await theRun(c.req.param('id'));
    const lines = await readLog(db, id, { after, limit });
    return c.json({
      items: lines.map(logLineView),
      after: lines.at(-1)?.n ?? after,
      more: lines.length === limit,
      status,
      terminal: isTerminal(status),
    } satisfies LogView);
  });

  app.post('/runs/:id/cancel', async (c) => {
    const runId = checked(requests.RunId, c.req.param('id'), 'id');
    const { actor, reason } = checked(requests.CancelBody, await jsonBody(c));
    const { status } = await cancelRun({ db, control, log }, { runId, actor, reason });
    return c.json({ id: runId, status, canceling: true }, 202);
  });

  app.post('/runs/:id/answer', async (c) => {
    const runId = checked(requests.RunId, c.req.param('id'), 'id');
    const body = checked(requests.AnswerBody, await jsonBody(c));
    return c.json({ id: runId, request: await answerRun({ db, updates, log, policy }, { runId, ...body }) });
  });

  app.post('/runs/:id/pause', async (c) => {
    const runId = checked(requests.RunId, c.req.param('id'), 'id');
    const body = checked(requests.PauseBody, await jsonBody(c));
    return c.json({ id: runId, wait: await pauseRun({ db, updates, log }, { runId, ...body }) });
  });

  app.post('/runs/:id/resume', async (c) => {
    const runId = checked(requests.RunId, c.req.param('id'), 'id');
    const body = checked(requests.ResumeBody, await jsonBody(c));
    await resumeRun({ db, updates, log }, { runId, ...body });
    return c.json({ id: runId, wait: null });
  });

  app.get('/costs', async (c) => {
    const { by, limit } = checked(requests.CostsQuery, c.req.query());
    return c.json({ by, items: await listCosts(db, by, limit) } satisfies CostsView);
  });

  app.get('/issues', async (c) => {
    const { limit, cursor, state, repository } = checked(requests.IssuesQuery, c.req.query());
    const { items, next } = await listIssues(db, { state, repository }, { limit, cursor });
    return c.json({ items: items.map(issueView), next });
  });

  app.get('/issues/:key', async (c) => {
    const key = checked(requests.IssueKey, c.req.param('key'), 'key');
    return c.json(await issueDetails(await findIssue(db, key), key));
  });

  app.get('/issues/:owner/:name/:number', async (c) => {
    const { owner, name, number } = checked(requests.IssuePath, c.req.param());
    const issue = await findIssueByName(db, { owner, name }, number);
    return c.json(await issueDetails(issue, `${owner}/${name}#${number}`));
  });

  app.get('/deliveries', async (c) => {
    const { limit, cursor, status } = checked(requests.DeliveriesQuery, c.req.query());
    const { items, next } = await listDeliveries(db, { status }, { limit, cursor });
    return c.json({ items: items.map(deliveryView), next });
  });

  app.get('/cluster', async (c) => c.json(clusterView(await findNetworkFinding(db))));

  app.post('/repositories', async (c) => {
    const body = checked(requests.BindBody, await jsonBody(c));
    return c.json({ fullName: body.fullName, ...(await repositories.bind(body)) }, 201);
  });

  app.post('/repositories/:owner/:name/labels', async (c) => {
    const fullName = checked(requests.FullName, `${c.req.param('owner')}/${c.req.param('name')}`, 'fullName');
    return c.json({ fullName, ...(await repositories.syncLabels(fullName)) });
  });

  app.post('/projects/:slug', async (c) => {
    const body = checked(requests.ProjectBody, await jsonBody(c));
    const { locale, cli, command, model, reasoningEffort, namespaceTemplate, branchPrefix, egress, learning } = body;
    const project = await setProject(db, c.req.param('slug'), {
      ...(locale === undefined ? {} : { locale }),
      ...(cli === undefined ? {} : { cli: cli === 'default' ? null : cli }),
      ...(command === undefined ? {} : { command: command === 'default' ? null : command }),
      ...(model === undefined ? {} : { model: model === 'default' ? null : model }),
      ...(reasoningEffort === undefined
        ? {}
        : { reasoningEffort: reasoningEffort === 'default' ? null : reasoningEffort }),
      ...(namespaceTemplate === undefined
        ? {}
        : { namespaceTemplate: namespaceTemplate === 'default' ? null : namespaceTemplate }),
      ...(branchPrefix === undefined ? {} : { branchPrefix: branchPrefix === 'default' ? null : branchPrefix }),
      ...(egress === undefined ? {} : { egress }),
      ...(learning === undefined ? {} : { learning }),
    });
    if (!project) throw new RequestRefused('not_found', `there is no project ${c.req.param('slug')}`, 'slug');
    return c.json(project);
  });

  app.post('/members', async (c) => {
    const body = checked(requests.MemberBody, await jsonBody(c));
    return c.json({ ...(await repositories.addMember(body)), role: body.role, project: body.project }, 201);
  });

  app.delete('/members/:login', async (c) => {
    const { login, project } = checked(requests.MemberPath, { login: c.req.param('login'), ...c.req.query() });
    const person = await repositories.removeMember({ login, project });
    return c.json({ ...person, project: project ?? null });
  });

  addPromptRoutes(app, { db, prompts });
  addDecisionRoutes(app, { db, updates, log, policy });

  for (const path of PATHS) app.all(`${path}/*`, answerNotFound);

  function viewOf(run: RunRecord): RunView {
    return runView(run, workers.absentSince());
  }

  async function theRun(id: string): Promise<RunRecord> {
    const idPrefix = checked(requests.RunId, id, 'id');
    const run =
      (await findRunRecord(db, idPrefix)) ?? (await listRequestedRuns(db, workers.absentSince(), { idPrefix }))[0];
    if (!run) throw new RequestRefused('not_found', `there is no run ${id}`, 'id');
    return run;
  }

  async function issueDetails(issue: IssueRecord | undefined, asked: string): Promise<IssueDetailsView> {
    if (!issue) throw new RequestRefused('not_found', `there is no issue ${asked}`, 'key');
    const [runs, requested, events] = await Promise.all([
      listRuns(db, { issueKey: issue.key }, { limit: ISSUE_RUNS }),
      listRequestedRuns(db, workers.absentSince(), { issueKey: issue.key }),
      newestIssueEvents(db, issue.key, ISSUE_EVENTS),
    ]);
    return { ...issueView(issue), runs: [...requested, ...runs.items].map(viewOf), events: events.map(eventView) };
  }

  return app;
}
