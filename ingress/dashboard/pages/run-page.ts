/** `/runs/:id`: one run, with its status, failure and next step, timeline and log. */
import { html } from 'hono/html';
import { AGENT_CLIS, CLI_NAMES } from '../../../src/domain/stages/clis.ts';
import { dollars } from '../../../src/domain/money/dollars.ts';
import { isTerminal } from '../../../src/domain/run/runs.ts';
import { triggerLabel } from '../../../src/domain/stages/stages.ts';
import type { EventRecord } from '../../../src/read-model/queries/events.ts';
import type { RunRecord } from '../../../src/read-model/queries/runs.ts';
import { failureText, nextStepText, statusText, triggerText } from '../../api/messages/runs.ts';
import { runBadge } from '../components/badges.ts';
import type { Html, Viewer } from '../components/layout.ts';
import { canPause, waitNotice } from './wait-notice.ts';
import { issueLink, outsideLink, pullRequestLink, runWorkflowUrl, type Urls } from '../components/links.ts';
import { logSection, type LogWindow } from '../components/log-view.ts';
import { took } from '../components/tables.ts';
import { timeline } from '../components/timeline.ts';
import { when } from '../components/times.ts';

export interface RunDetails {
  readonly run: RunRecord;
  readonly events: readonly EventRecord[];
  /** From 1, while the run waits in its issue's queue. */
  readonly queuePosition: number | undefined;
}

/** The body of the page. */
export function runPage(details: RunDetails, log: LogWindow, urls: Urls, viewer: Viewer): Html {
  const { run } = details;
  return html`<p class="crumbs">
      <a href="/runs">Runs</a> / ${issueLink({ repository: run.repository, number: run.issueNumber })}
    </p>
    ${runState(details, viewer)}
    <div class="columns">
      <div>${logSection(run, log)} ${runTimeline(details)}</div>
      <div>${runFacts(details, urls)} ${terminalCommands(run)}</div>
    </div>`;
}

/** The parts of the page that change while a run works, each with its element's id. */
export function runFragments(details: RunDetails, urls: Urls, viewer: Viewer): Html {
  return html`${runState(details, viewer)} ${runTimeline(details)} ${runFacts(details, urls)}`;
}

function runState(details: RunDetails, viewer: Viewer): Html {
  const { run } = details;
  const label = triggerLabel(run);
  return html`<div id="state" data-live data-summary="The run ${label}: ${run.status}">
    <div class="title">
      <h1>${run.issueTitle ?? `Issue ${run.issueNumber}`}</h1>
      <code class="label">${label}</code>
      ${runBadge(run)} ${canPause(run) && html`<a class="button" href="/runs/${run.id}/pause">Pause …</a>`}
      ${!isTerminal(run.status) && html`<a class="button danger" href="/runs/${run.id}/cancel">Cancel …</a>`}
    </div>
    <p class="lead">${triggerText(run)}, ${when(run.createdAt)}.</p>
    ${run.wait ? waitNotice(run, run.wait, viewer) : stateNotice(details)}
  </div>`;
}

function stateNotice({ run, queuePosition }: RunDetails): Html {
  if (run.failure) {
    return html`<div class="notice bad">
      <p><strong>${failureText(run.failure)}</strong></p>
      <p>What next: ${nextStepText(run.failure, run)}</p>
      ${run.detail && html`<pre tabindex="0" aria-label="Details">${run.detail}</pre>`}
    </div>`;
  }
  if (run.status === 'canceled') {
    return html`<div class="notice">
      <p><strong>The run was canceled.</strong> ${run.detail}</p>
      <p>What next: put the label ${triggerLabel(run)} on the issue again for a new run.</p>
    </div>`;
  }
  if (run.status === 'succeeded') {
    return html`<div class="notice good">
      <p>
        <strong>Done.</strong> The work is in
        ${run.pullRequestUrl === null ? 'the pull request' : outsideLink(run.pullRequestUrl, `pull request #${run.pullRequest}`)}
        and waits for a review. “Request changes” there starts a revise, and so does the <code>:revise</code> label of
        the stage on the issue, after comments on the pull request. Merging it closes the issue.
      </p>
    </div>`;
  }
  if (queuePosition !== undefined) {
    return html`<div class="notice">
      <p>Queued: position ${queuePosition} in the queue of this issue.</p>
    </div>`;
  }
  if (run.status === 'queued') {
    const why = 'all permits are in use. The status comment says its queue position.';
    return html`<div class="notice"><p>Waiting for a permit: ${why}</p></div>`;
  }
  return html`<div class="notice"><p>${statusText(run.status)}</p></div>`;
}

function runTimeline({ events }: RunDetails): Html {
  return html`<section id="timeline" data-live aria-labelledby="timeline-heading">
    <div class="heading"><h2 id="timeline-heading">Timeline</h2></div>
    ${timeline(events, 'without runs')}
  </section>`;
}

function agentName(cli: string | null): string | undefined {
  const known = AGENT_CLIS.find((name) => name === cli);
  return known && CLI_NAMES[known];
}

function runFacts({ run }: RunDetails, urls: Urls): Html {
  const history = runWorkflowUrl(urls, run.id);
  const rows: (readonly [string, Html | string | null | false | undefined])[] = [
    ['Issue', run.issueUrl && outsideLink(run.issueUrl, `#${run.issueNumber} on GitHub`)],
    [
      'Pull request',
      run.pullRequest !== null && pullRequestLink(urls, run.repository, run.pullRequest, run.pullRequestUrl),
    ],
    ['Status comment', run.statusCommentUrl && outsideLink(run.statusCommentUrl, 'on GitHub')],
    ['Branch', html`<code>${run.branch}</code>`],
    ['Workspace', run.workspace && html`<code>${run.workspace}</code>`],
    ['Agent', agentName(run.cli)],
    ['Model', run.model && `${run.model}${run.reasoningEffort ? ` (${run.reasoningEffort})` : ''}`],
    ['Prompt', run.taskSource && `${run.taskSource}, version ${run.taskVersion?.slice(0, 12) ?? '–'}`],
    ['Cost', run.tokens > 0 && `${dollars(run.cost)}, ${run.tokens.toLocaleString('en-US')} tokens`],
    ['Requested', when(run.createdAt)],
    ['Started', run.startedAt && when(run.startedAt)],
    ['Finished', run.finishedAt && when(run.finishedAt)],
    ['Took', took(run)],
    ['Run', html`<code>${run.id}</code>`],
    ['Delivery', html`<code>${run.correlationId}</code>`],
    ['History', history !== undefined && outsideLink(history, 'Temporal Web')],
  ];
  return html`<section id="facts" data-live aria-labelledby="facts-heading">
    <div class="heading"><h2 id="facts-heading">Facts</h2></div>
    <dl class="card facts">
      ${rows.map(
        ([name, value]) =>
          value &&
          html`<dt>${name}</dt>
            <dd>${value}</dd>`,
      )}
    </dl>
  </section>`;
}

function terminalCommands({ id }: RunRecord): Html {
  const commands = [
    ['read the log', `npx codex-k8s runs logs ${id}`],
    ['read what the agent was told', `npx codex-k8s prompts show --run ${id}`],
    ['cancel the run', `npx codex-k8s runs cancel ${id}`],
    ["replay its workflow's history against this build", `npx codex-k8s runs replay ${id}`],
  ] as const;
  return html`<section aria-labelledby="commands-heading">
    <div class="heading"><h2 id="commands-heading">At a terminal</h2></div>
    <ul class="card commands">
      ${commands.map(
        ([purpose, command]) => html`<li><span class="sub">${purpose}</span> <code>${command}</code></li>`,
      )}
    </ul>
  </section>`;
}
