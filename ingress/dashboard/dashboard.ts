/** The dashboard: rendered on the server, usable without JavaScript, and updated live with it. */
import { Hono, type Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { Database } from '../../src/store/connection/database.ts';
import { isTerminal } from '../../src/domain/run/runs.ts';
import { readCounters } from '../../src/read-model/queries/counters.ts';
import { listDeliveries } from '../../src/read-model/queries/deliveries.ts';
import { findIssueByName, listIssues } from '../../src/read-model/queries/issues.ts';
import { changeMarker } from '../../src/read-model/queries/marker.ts';
import { findNetworkFinding } from '../../src/store/workspaces/cluster-findings.ts';
import { findGitHubWait } from '../../src/store/github/waits.ts';
import { listRepositories } from '../../src/read-model/queries/repositories.ts';
import { listRequestedRuns } from '../../src/read-model/queries/requested-runs.ts';
import { findRunRecord, listRuns, type RunRecord } from '../../src/read-model/queries/runs.ts';
import { RequestRefused, type ErrorLog } from '../http/errors.ts';
import type { Live } from '../live/live.ts';
import type { StaffAccess } from '../api/access.ts';
import { cancelRun, type RunControl } from '../api/cancel.ts';
import type { Workers } from '../api/routes.ts';
import type { ApprovalPolicy } from '../../src/domain/approvals/policy.ts';
import type { RunUpdates } from '../relay/run-updates.ts';
import * as requests from '../api/requests.ts';
import { serveAssets } from './components/assets.ts';
import { cancelPage } from './pages/cancel-page.ts';
import { deliveriesPage } from './pages/deliveries-page.ts';
import { answerErrorsWithPages } from './pages/error-page.ts';
import { issuePage } from './pages/issue-page.ts';
import { page, type Html, type PageFrame, type Viewer } from './components/layout.ts';
import type { Urls } from './components/links.ts';
import { listFeed } from './feeds/list-feed.ts';
import { issuesPage, runsPage, type Chosen } from './pages/list-pages.ts';
import { overviewPage } from './pages/overview-page.ts';
import { runFeed } from './feeds/run-feed.ts';
import { runPage } from './pages/run-page.ts';
import { addWaitRoutes } from './wait-routes.ts';
import { addSessionRoutes } from './session-routes.ts';
import { readIssueDetails, readLogWindow, readRunDetails } from './feeds/sections.ts';

const { checked } = requests;

export interface DashboardOptions extends Urls {
  readonly db: Database;
  readonly live: Live;
  readonly control: RunControl;
  readonly updates: RunUpdates;
  readonly policy: ApprovalPolicy;
  readonly access: StaffAccess;
  readonly workers: Workers;
  /** Sets `Secure` on the session's cookie; for a server that people reach by TLS. */
  readonly secureCookies: boolean;
  readonly log: ErrorLog;
}

const GUARDED = ['/', '/issues/*', '/runs/*', '/deliveries', '/stream'];
const ROWS = 25;
const LIST_ROWS = 50;
/** Resources of the same origin only, no inline scripts, and no frames. */
const CONTENT_POLICY =
  "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/** The router, to be mounted at `/`. */
export function createDashboard(options: DashboardOptions): Hono {
  const { db, live, control, updates, policy, access, workers, log, secureCookies } = options;
  const app = new Hono();
  app.onError(answerErrorsWithPages(log));
  serveAssets(app);

  for (const path of [...GUARDED, '/login', '/logout']) {
    app.use(path, bodyLimit({ maxSize: 16_384 }), async (c, next) => {
      c.header('Content-Security-Policy', CONTENT_POLICY);
      c.header('Referrer-Policy', 'same-origin');
      c.header('X-Content-Type-Options', 'nosniff');
      c.header('Cache-Control', 'no-store');
      await next();
    });
  }
  for (const path of GUARDED) {
    app.use(path, async (c, next) => {
      access.requireReader(c);
      await next();
    });
  }
  addSessionRoutes(app, access, { secure: secureCookies });

  function show(c: Context, frame: Omit<PageFrame, 'viewer'>, body: Html): Response | Promise<Response> {
    return c.html(page({ ...frame, viewer: viewerOf(c), noWorkerSince: workers.absentSince() }, body));
  }

  function viewerOf(c: Context): Viewer {
    return access.isStaff(c) ? 'staff' : 'guest';
  }

  /** Read the marker before the lists, so that changes meanwhile are shown. Older pages of a list are not updated. */
  async function listStream(cursor?: unknown): Promise<PageFrame['stream']> {
    return cursor === undefined ? { path: `/stream?seen=${await changeMarker(db)}` } : undefined;
  }

  app.get('/', async (c) => {
    const stream = await listStream();
    const [counters, githubWait, network, issues, runs, requested, repositories] = await Promise.all([
      readCounters(db),
      findGitHubWait(db),
      findNetworkFinding(db),
      listIssues(db, {}, { limit: ROWS }),
      listRuns(db, {}, { limit: ROWS }),
      listRequestedRuns(db, workers.absentSince()),
      listRepositories(db, 10),
    ]);
    const overview = {
      counters,
      githubWait,
      network,
      issues: issues.items,
      runs: [...requested, ...runs.items],
      repositories,
    };
    return show(c, { title: 'Overview', current: '/', stream }, overviewPage(overview, options));
  });

  app.get('/issues', async (c) => {
    const chosen = chosenIn(c);
    const { state, repository, cursor } = checked(requests.IssuesQuery, chosen);
    const stream = await listStream(cursor);
    const issues = await listIssues(db, { state, repository }, { limit: LIST_ROWS, cursor });
    return show(c, { title: 'Issues', current: '/issues', stream }, issuesPage(issues, withoutCursor(chosen), options));
  });

  app.get('/issues/:owner/:name/:number', async (c) => {
    const { owner, name, number } = checked(requests.IssuePath, c.req.param());
    const issue = await findIssueByName(db, { owner, name }, number);
    if (!issue) throw new RequestRefused('not_found', `there is no issue ${owner}/${name}#${number}`);
    const seen = await changeMarker(db, issue.key);
    const stream = { path: `/stream?issue=${encodeURIComponent(issue.key)}&seen=${seen}` };
    const details = await readIssueDetails(db, issue);
    const requested = await listRequestedRuns(db, workers.absentSince(), { issueKey: issue.key });
    const runs = [...requested, ...details.runs];
    return show(c, { title: `${owner}/${name}#${number}`, stream }, issuePage({ ...details, runs }, options));
  });

  app.get('/runs', async (c) => {
    const chosen = chosenIn(c);
    const { status, repository, cursor } = checked(requests.RunsQuery, chosen);
    const stream = await listStream(cursor);
    const listed = await listRuns(db, { status, repository }, { limit: LIST_ROWS, cursor });
    const absent = cursor === undefined ? workers.absentSince() : undefined;
    const requested = await listRequestedRuns(db, absent, { status, repository });
    const runs = { ...listed, items: [...requested, ...listed.items] };
    return show(c, { title: 'Runs', current: '/runs', stream }, runsPage(runs, withoutCursor(chosen), options));
  });

  app.get('/runs/:id', async (c) => {
    const id = runIdIn(c);
    const asked = c.req.query('after');
    const after = asked === undefined ? undefined : checked(requests.LogQuery, { after: asked }).after;
    const details = await readRunDetails(db, id);
    if (!details) throw noRun(id);
    const log = await readLogWindow(db, id, after);
    const follows = log.atEnd && !isTerminal(details.run.status);
    const last = log.lines.at(-1)?.n ?? after ?? -1;
    const stream = follows ? { path: `/runs/${id}/stream`, after: last } : undefined;
    return show(c, { title: `Run ${id.slice(0, 8)}`, stream }, runPage(details, log, options, viewerOf(c)));
  });

  app.get('/runs/:id/cancel', async (c) => {
    const run = await theRun(c);
    if (isTerminal(run.status)) return c.redirect(`/runs/${run.id}`, 303);
    return show(c, { title: 'Cancel a run' }, cancelPage(run, viewerOf(c)));
  });

  app.post('/runs/:id/cancel', async (c) => {
    access.requireStaff(c);
    const body = checked(requests.CancelBody, await c.req.parseBody());
    const run = await cancelRun({ db, control, log }, { runId: runIdIn(c), ...body });
    return c.redirect(`/runs/${run.id}`, 303);
  });

  addWaitRoutes(app, { db, updates, policy, log, access, show, theRun });

  app.get('/deliveries', async (c) => {
    const chosen = chosenIn(c);
    const { status, cursor } = checked(requests.DeliveriesQuery, chosen);
    const stream = await listStream(cursor);
    const deliveries = await listDeliveries(db, { status }, { limit: LIST_ROWS, cursor });
    const body = deliveriesPage(deliveries, withoutCursor(chosen));
    return show(c, { title: 'Deliveries', current: '/deliveries', stream }, body);
  });

  app.get('/stream', (c) => {
    const issue = checked(requests.IssueKey.optional(), c.req.query('issue'), 'issue');
    return live.stream(c, listFeed(db, issue, c.req.header('last-event-id') ?? c.req.query('seen')));
  });

  app.get('/runs/:id/stream', async (c) => {
    const run = await theRun(c);
    const seen = c.req.header('last-event-id') ?? c.req.query('after');
    const { after } = checked(requests.LogQuery, { after: seen });
    return live.stream(c, runFeed(db, { urls: options, viewer: viewerOf(c) }, run.id, after));
  });

  async function theRun(c: Context): Promise<RunRecord> {
    const id = runIdIn(c);
    const run = await findRunRecord(db, id);
    if (!run) throw noRun(id);
    return run;
  }

  return app;
}

function runIdIn(c: Context): string {
  return checked(requests.RunId, c.req.param('id'), 'id');
}

function noRun(id: string): RequestRefused {
  return new RequestRefused('not_found', `there is no run ${id}`, 'id');
}

/** The filter's values, without empty fields. */
function chosenIn(c: Context): Chosen {
  return Object.fromEntries(Object.entries(c.req.query()).filter(([, value]) => value !== ''));
}

function withoutCursor(chosen: Chosen): Chosen {
  const { cursor: _, ...others } = chosen;
  return others;
}
