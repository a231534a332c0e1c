/** `/runs/:id/pause`: asks for confirmation before an agent is stopped. */
import { html } from 'hono/html';
import { triggerLabel } from '../../../src/domain/stages/stages.ts';
import type { RunRecord } from '../../../src/read-model/queries/runs.ts';
import { runBadge } from '../components/badges.ts';
import type { Html, Viewer } from '../components/layout.ts';
import { signInFirst } from '../components/sign-in.ts';

/** The body of the page. */
export function pausePage(run: RunRecord, viewer: Viewer): Html {
  return html`<p class="crumbs"><a href="/runs/${run.id}">Run ${run.id.slice(0, 8)}</a> / pause</p>
    <div class="title">
      <h1>Pause this run?</h1>
      ${runBadge(run)}
    </div>
    <p class="lead">
      <code>${triggerLabel(run)}</code> for “${run.issueTitle ?? `issue ${run.issueNumber}`}”. The agent is stopped; a
      new one continues its conversation when the run is resumed. Under Kubernetes, uncommitted changes are lost.
    </p>
    <section aria-label="Pause">
      ${viewer === 'staff' ? form(run) : signInFirst(`/runs/${run.id}/pause`, `runs pause ${run.id}`)}
    </section>`;
}

function form(run: RunRecord): Html {
  return html`<form class="card form" method="post" action="/runs/${run.id}/pause">
    <label>Why (it is shown with the run) <input type="text" name="reason" maxlength="500" /></label>
    <label>Your name (optional) <input type="text" name="actor" maxlength="100" autocomplete="username" /></label>
    <div class="actions">
      <button>Pause the run</button>
      <a class="button" href="/runs/${run.id}">Keep it working</a>
    </div>
  </form>`;
}
