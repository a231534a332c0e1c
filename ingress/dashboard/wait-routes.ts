/** Routes to answer, pause and resume a run on its page; they need a session and a same-origin request. */
import type { Context, Hono } from 'hono';
import type { ApprovalPolicy } from '../../src/domain/approvals/policy.ts';
import type { Database } from '../../src/store/connection/database.ts';
import type { RunRecord } from '../../src/read-model/queries/runs.ts';
import type { StaffAccess } from '../api/access.ts';
import * as requests from '../api/requests.ts';
import { answerRun, pauseRun, resumeRun } from '../api/waits.ts';
import type { ErrorLog } from '../http/errors.ts';
import type { RunUpdates } from '../relay/run-updates.ts';
import type { Html } from './components/layout.ts';
import { pausePage } from './pages/pause-page.ts';
import { canPause } from './pages/wait-notice.ts';

const { checked } = requests;

interface WaitRoutes {
  readonly db: Database;
  readonly updates: RunUpdates;
  readonly policy: ApprovalPolicy;
  readonly log: ErrorLog;
  readonly access: StaffAccess;
  readonly show: (c: Context, frame: { title: string }, body: Html) => Response | Promise<Response>;
  readonly theRun: (c: Context) => Promise<RunRecord>;
}

/** Adds `/runs/:id/answer`, `/pause` and `/resume`. */
export function addWaitRoutes(app: Hono, { access, show, theRun, ...ports }: WaitRoutes): void {
  app.post('/runs/:id/answer', async (c) => {
    access.requireStaff(c);
    const runId = runIdIn(c);
    const { text, actor, requestId } = checked(requests.AnswerBody, await c.req.parseBody());
    await answerRun(ports, { runId, requestId, text, actor, surface: 'dashboard' });
    return c.redirect(`/runs/${runId}`, 303);
  });

  app.post('/runs/:id/decide', async (c) => {
    access.requireStaff(c);
    const runId = runIdIn(c);
    const body = checked(requests.VerdictBody, await c.req.parseBody());
    await answerRun(ports, { runId, ...body, surface: 'dashboard' });
    return c.redirect(`/runs/${runId}`, 303);
  });

  app.get('/runs/:id/pause', async (c) => {
    const run = await theRun(c);
    if (!canPause(run)) return c.redirect(`/runs/${run.id}`, 303);
    return show(c, { title: 'Pause a run' }, pausePage(run, access.isStaff(c) ? 'staff' : 'guest'));
  });

  app.post('/runs/:id/pause', async (c) => {
    access.requireStaff(c);
    const runId = runIdIn(c);
    await pauseRun(ports, { runId, ...checked(requests.PauseBody, await c.req.parseBody()) });
    return c.redirect(`/runs/${runId}`, 303);
  });

  app.post('/runs/:id/resume', async (c) => {
    access.requireStaff(c);
    const runId = runIdIn(c);
    await resumeRun(ports, { runId, ...checked(requests.ResumeBody, await c.req.parseBody()) });
    return c.redirect(`/runs/${runId}`, 303);
  });
}

function runIdIn(c: Context): string {
  return checked(requests.RunId, c.req.param('id'), 'id');
}
