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
  const isQuestion = wait.kind === 'question';
  const asks = run.request?.kind === 'budget' ? 'A budget is spent.' : 'The agent asks a question.';
  const headline = isQuestion ? asks : 'The run is paused.';
  const [begun, end] = isQuestion ? ['asked', 'nobody answers'] : ['paused', 'nobody resumes it'];
  return html`<div class="notice wait">
    <p>
      <strong>${headline}</strong> It waits for ${wait.for} (${begun} ${when(new Date(wait.since))}), and fails if
      ${end} until <time datetime="${wait.until}">${exact(new Date(wait.until))}</time>. Meanwhile no agent runs.
    </p>
    ${run.request && asked(run.request, viewer)} ${viewer === 'staff' ? form(run, wait) : guest(run, wait)}
  </div>`;
}

/** The question; its options are listed for guests, and are buttons for staff. */
function asked({ question, options }: Request, viewer: Viewer): Html {
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
    ${run.request && html`<input type="hidden" name="requestId" value="${run.request.id}" />`} ${choices}
  </form>`;
}

function guest(run: RunRecord, wait: RunWait): Html {
  const next = encodeURIComponent(`/runs/${run.id}`);
  const command = wait.kind === 'question' ? `runs answer ${run.id} TEXT` : `runs resume ${run.id}`;
  const comment = wait.kind === 'question' && run.issueUrl !== null;
  return html`<p>
    ${comment && html`Answer with a comment on <a href="${run.issueUrl}" rel="noreferrer">the issue</a>,`}
    ${comment ? 'with' : 'With'} <code>npx codex-k8s ${command}</code>, or here when you have
    <a href="/login?next=${next}">signed in</a>.
  </p>`;
}
