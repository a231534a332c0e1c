/** The notice on a run's page while it waits for people, with the forms that end the wait. */
import { html } from 'hono/html';
import type { Request } from '../../../src/domain/run/requests.ts';
import type { RunWait } from '../../../src/domain/run/waits.ts';
import type { RunRecord } from '../../../src/read-model/queries/runs.ts';
import { exact } from '../../api/messages/times.ts';
import type { Html, Viewer } from '../components/layout.ts';
import { when } from '../components/times.ts';

/** True if the run has an agent that can be paused. */
export function canPause({ status }: Pick<RunRecord, 'status'>): boolean {
  return status === 'preparing' || status === 'working';
}

/** The wait: for whom, since when and until when, the question, and how to end it. */
export function waitNotice(run: RunRecord, wait: RunWait, viewer: Viewer): Html {
  const asks = run.request?.kind === 'budget' ? 'A budget is spent.' : 'The agent asks a question.';
  const [headline, begun, end] = {
    question: [asks, 'asked', 'nobody answers'],
    approval: ['A tool call of the agent needs an approval.', 'asked', 'nobody decides'],
    paused: ['The run is paused.', 'paused', 'nobody resumes it'],
  }[wait.kind];
  return html`<div class="notice wait">
    <p>
      <strong>${headline}</strong> It waits for ${wait.for} (${begun} ${when(new Date(wait.since))}), and fails if
      ${end} until <time datetime="${wait.until}">${exact(new Date(wait.until))}</time>. Meanwhile no agent runs.
    </p>
    ${run.request && asked(run.request, viewer)} ${viewer === 'staff' ? form(run, wait) : guest(run, wait)}
  </div>`;
}

/** The question; its options are listed for guests, and are buttons for staff. Of an approval, what exactly will be done. */
function asked({ question, options, kind, call, mayAnswer }: Request, viewer: Viewer): Html {
  if (kind === 'approval' && call) {
    const { tool, action, summary, reason, digest } = call;
    const who = mayAnswer === 'owner' ? 'an owner or administrator' : 'a member of the project (read_write or more)';
    return html`<p>
        When it is approved, the platform calls <code>${tool}</code> (${action}) with these arguments, and nothing else
        (digest <code>${digest.slice(0, 12)}</code>). It is asked because ${reason}. It takes ${who} who did not start
        the run.
      </p>
      <blockquote class="question">${summary}</blockquote>`;
  }
  return html`<blockquote class="question">${question}</blockquote>
    ${
      viewer === 'guest' &&
      options.length > 0 &&
      html`<ol class="options">
        ${options.map((option) => html`<li>${option}</li>`)}
      </ol>`
    }`;
}

function form(run: RunRecord, wait: RunWait): Html {
  if (wait.kind === 'paused') {
    return html`<form class="inline" method="post" action="/runs/${run.id}/resume">
      <label class="grow">A note for the agent (optional) <input type="text" name="note" maxlength="2000" /></label>
      <button>Resume</button>
    </form>`;
  }
  if (wait.kind === 'approval') {
    return html`<form class="inline" method="post" action="/runs/${run.id}/decide">
      <input type="hidden" name="requestId" value="${wait.request ?? ''}" />
      ${LOGIN}
      <label class="grow">A reason (optional) <input type="text" name="text" maxlength="2000" /></label>
      <button name="decision" value="approved">Approve</button>
      <button name="decision" value="denied">Deny</button>
    </form>`;
  }
  const options = run.request?.options ?? [];
  const choices =
    options.length === 0
      ? html`<label class="grow"
            >Your answer <textarea name="text" rows="3" required maxlength="10000"></textarea>
          </label>
          <button>Answer</button>`
      : html`<span>Answer:</span> ${options.map(
            (option, index) => html`<button name="text" value="${index + 1}">${index + 1}. ${option}</button>`,
          )}`;
  return html`<form class="inline" method="post" action="/runs/${run.id}/answer">
    ${run.request && html`<input type="hidden" name="requestId" value="${run.request.id}" />`}
    ${run.request?.call && LOGIN} ${choices}
  </form>`;
}

/** Whose roles count where only some people may decide. */
const LOGIN = html`<label>Your login on GitHub <input type="text" name="actor" maxlength="100" required /></label>`;

function guest(run: RunRecord, wait: RunWait): Html {
  const next = encodeURIComponent(`/runs/${run.id}`);
  const command = {
    question: `runs answer ${run.id} TEXT`,
    approval: `decisions approve ${wait.request ?? ''}`,
    paused: `runs resume ${run.id}`,
  }[wait.kind];
  const comment = wait.kind !== 'paused' && run.issueUrl !== null;
  const verb = wait.kind === 'approval' ? 'Decide' : 'Answer';
  return html`<p>
    ${comment && html`${verb} with a comment on <a href="${run.issueUrl}" rel="noreferrer">the issue</a>,`}
    ${comment ? 'with' : 'With'} <code>npx codex-k8s ${command}</code>, or here when you have
    <a href="/login?next=${next}">signed in</a>.
  </p>`;
}
