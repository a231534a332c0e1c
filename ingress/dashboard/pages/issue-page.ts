/** `/issues/:owner/:name/:number`: an issue with its runs and events. */
import { html } from 'hono/html';
import { dollars } from '../../../src/domain/money/dollars.ts';
import type { EventRecord } from '../../../src/read-model/queries/events.ts';
import type { IssueRecord } from '../../../src/read-model/queries/issues.ts';
import type { RunRecord } from '../../../src/read-model/queries/runs.ts';
import { issueBadge } from '../components/badges.ts';
import type { Html } from '../components/layout.ts';
import { outsideLink, pullRequestLink, runLink, workflowUrl, type Urls } from '../components/links.ts';
import { runsTable } from '../components/tables.ts';
import { timeline } from '../components/timeline.ts';
import { when } from '../components/times.ts';

export interface IssueDetails {
  readonly issue: IssueRecord;
  readonly runs: readonly RunRecord[];
  /** The newest events, oldest first. */
  readonly events: readonly EventRecord[];
}

/** The body of the page. */
export function issuePage({ issue, runs, events }: IssueDetails, urls: Urls): Html {
  const name = `${issue.repository ?? 'unknown repository'}#${issue.number}`;
  return html`<p class="crumbs"><a href="/issues">Issues</a> / ${name}</p>
    <div id="issue" data-live data-summary="${name} ${stateInWords(issue)}">
      <div class="title">
        <h1>${issue.title || `Issue ${issue.number}`}</h1>
        ${issueBadge(issue)}
      </div>
      <p class="lead">${stateInWords(issue)}</p>
      <div class="columns">
        <div>
          <section aria-labelledby="runs-heading">
            <div class="heading"><h2 id="runs-heading">Runs</h2></div>
            ${
              runs.length === 0
                ? html`<p class="card empty muted">
                    No run so far. If one was requested, the timeline says why there is none.
                  </p>`
                : runsTable(runs, urls, 'without issue')
            }
          </section>
          <section aria-labelledby="timeline-heading">
            <div class="heading"><h2 id="timeline-heading">Timeline, newest first</h2></div>
            ${timeline(events.toReversed(), 'with runs')}
          </section>
        </div>
        <section aria-labelledby="facts-heading">
          <div class="heading"><h2 id="facts-heading">Facts</h2></div>
          <div class="card">${facts(issue, runs, urls)}</div>
        </section>
      </div>
    </div>`;
}

function facts(issue: IssueRecord, runs: readonly RunRecord[], urls: Urls): Html {
  const history = workflowUrl(urls, issue.key);
  return html`<dl class="facts">
    <dt>On GitHub</dt>
    <dd>${outsideLink(issue.url, `Issue #${issue.number}`)}</dd>
    ${
      issue.pullRequest !== null &&
      html`<dt>Pull request</dt>
        <dd>${pullRequestLink(urls, issue.repository, issue.pullRequest, null)}</dd>`
    }
    <dt>Stage</dt>
    <dd>${issue.stage ?? '–'}</dd>
    <dt>Active run</dt>
    <dd>${issue.activeRunId === null ? '–' : runLink(issue.activeRunId)}</dd>
    <dt>In its queue</dt>
    <dd>${issue.queued}</dd>
    <dt>Workspace</dt>
    <dd>${issue.workspace === null ? '–' : html`<code>${issue.workspace}</code>`}</dd>
    <dt>Cost of its runs</dt>
    <dd>${dollars(runs.reduce((sum, { cost }) => sum + cost, 0))}</dd>
    <dt>Changed</dt>
    <dd>${when(issue.updatedAt)}</dd>
    ${
      history !== undefined &&
      html`<dt>History</dt>
        <dd>${outsideLink(history, 'Temporal Web')}</dd>`
    }
  </dl>`;
}

function stateInWords({ state, waitingFor, pullRequest, queued }: IssueRecord): string {
  if (state === 'working') {
    if (waitingFor === 'approval')
      return 'A tool call of the agent waits for an approval; its run continues with the decision.';
    if (waitingFor === 'question') return 'The agent asks a question; its run continues with the answer.';
    if (waitingFor === 'paused') return 'The run is paused until an operator resumes it.';
    return queued === 0 ? 'An agent is at work.' : `An agent is at work; ${queued} more in the queue.`;
  }
  if (state === 'closed') return 'The issue is closed.';
  if (waitingFor === 'input')
    return 'A question waits for a person: the comment on the issue says which labels answer it.';
  if (waitingFor === 'review') return `Pull request #${pullRequest ?? '?'} waits for a person's review.`;
  return 'No run: a label that starts a run begins the next one.';
}
