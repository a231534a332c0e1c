/** `/runs/:id/cancel`: asks for confirmation before a run is canceled. */
import { html } from 'hono/html';
import { triggerLabel } from '../../../src/domain/stages/stages.ts';
import type { RunRecord } from '../../../src/read-model/queries/runs.ts';
import { runBadge } from '../components/badges.ts';
import type { Html, Viewer } from '../components/layout.ts';
import { signInFirst } from '../components/sign-in.ts';

/** The body of the page. Guests get the command for the terminal instead of the form. */
export function cancelPage(run: RunRecord, viewer: Viewer): Html {
  return html`<p class="crumbs"><a href="/runs/${run.id}">Run ${run.id.slice(0, 8)}</a> / cancel</p>
    <div class="title">
      <h1>Cancel this run?</h1>
      ${runBadge(run)}
    </div>
    <p class="lead">
      <code>${triggerLabel(run)}</code> for “${run.issueTitle ?? `issue ${run.issueNumber}`}”. The agent is stopped;
      what it has pushed to <code>${run.branch}</code> stays. The issue and its workspace are kept.
    </p>
    <section aria-label="Cancel">
      ${viewer === 'staff' ? form(run) : signInFirst(`/runs/${run.id}/cancel`, `runs cancel ${run.id}`)}
    </section>`;
}

function form(run: RunRecord): Html {
  return html`<form class="card form" method="post" action="/runs/${run.id}/cancel">
    <label>Why (it is shown on the issue) <input type="text" name="reason" maxlength="500" /></label>
    <label>Your name (optional) <input type="text" name="actor" maxlength="100" autocomplete="username" /></label>
    <div class="actions">
      <button class="danger">Cancel the run</button>
      <a class="button" href="/runs/${run.id}">Keep it running</a>
    </div>
  </form>`;
}
