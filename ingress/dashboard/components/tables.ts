/** Issues and runs as tables. */
import { html } from 'hono/html';
import { isTerminal } from '../../../src/domain/run/runs.ts';
import { triggerLabel } from '../../../src/domain/stages/stages.ts';
import type { IssueRecord } from '../../../src/read-model/queries/issues.ts';
import type { RunRecord } from '../../../src/read-model/queries/runs.ts';
import { failureText } from '../../api/messages/runs.ts';
import { duration } from '../../api/messages/times.ts';
import { issueBadge, runBadge } from './badges.ts';
import type { Html } from './layout.ts';
import { issueLink, issuePath, pullRequestLink, runLink, type Urls } from './links.ts';
import { when } from './times.ts';

/** A table of issues. */
export function issuesTable(issues: readonly IssueRecord[], urls: Urls): Html {
  return html`<div class="sheet" tabindex="0" role="region" aria-label="Issues">
    <table>
      <thead>
        <tr>
          <th scope="col">Issue</th>
          <th scope="col">State</th>
          <th scope="col" class="wide">Stage</th>
          <th scope="col" class="wide">Pull request</th>
          <th scope="col" class="wide">Changed</th>
        </tr>
      </thead>
      <tbody>
        ${issues.map((issue) => issueRow(issue, urls))}
      </tbody>
    </table>
  </div>`;
}

/** A table of runs, without the column of issues if all runs belong to one. */
export function runsTable(runs: readonly RunRecord[], urls: Urls, columns: 'all' | 'without issue' = 'all'): Html {
  const withIssue = columns === 'all';
  return html`<div class="sheet" tabindex="0" role="region" aria-label="Runs">
    <table>
      <thead>
        <tr>
          <th scope="col">Run</th>
          ${withIssue && html`<th scope="col" class="wide">Issue</th>`}
          <th scope="col">Status</th>
          <th scope="col" class="wide">Requested by</th>
          <th scope="col" class="wide">Pull request</th>
          <th scope="col" class="wide">Requested</th>
          <th scope="col" class="wide">Took</th>
        </tr>
      </thead>
      <tbody>
        ${runs.map(
          (run) =>
            html`<tr>
              <th scope="row" class="fit">
                ${runLink(run.id)} <span class="sub"><code>${triggerLabel(run)}</code></span>
                ${
                  withIssue &&
                  html`<span class="sub narrow"
                    >${issueLink({ repository: run.repository, number: run.issueNumber })}</span
                  >`
                }
              </th>
              ${
                withIssue &&
                html`<td class="wide">
                  ${issueLink({ repository: run.repository, number: run.issueNumber })}
                  <span class="sub">${run.issueTitle}</span>
                </td>`
              }
              <td>
                ${runBadge(run)} <span class="sub narrow">${when(run.createdAt)}</span>
                ${run.failure && html`<span class="sub">${failureText(run.failure)}</span>`}
                ${run.wait && html`<span class="sub">${run.wait.kind === 'paused' ? 'paused' : 'asked'} ${when(new Date(run.wait.since))}</span>`}
              </td>
              <td class="wide fit">@${run.triggeredBy}</td>
              <td class="wide fit">
                ${
                  run.pullRequest === null
                    ? '–'
                    : pullRequestLink(urls, run.repository, run.pullRequest, run.pullRequestUrl)
                }
              </td>
              <td class="wide fit">${when(run.createdAt)}</td>
              <td class="wide fit">${took(run)}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

/** The duration of a run so far; a dash before it has started. */
export function took(run: Pick<RunRecord, 'status' | 'startedAt' | 'finishedAt'>): string {
  if (run.startedAt === null) return '–';
  if (run.finishedAt) return duration(run.startedAt, run.finishedAt);
  return isTerminal(run.status) ? '–' : `${duration(run.startedAt, new Date())} so far`;
}

function issueRow(issue: IssueRecord, urls: Urls): Html {
  const path = issuePath(issue);
  const title = issue.title || `Issue ${issue.number}`;
  return html`<tr>
    <th scope="row">
      ${path ? html`<a href="${path}">${title}</a>` : title}
      <span class="sub">${issue.repository ?? 'unknown repository'}#${issue.number}</span>
      <span class="sub narrow">${when(issue.updatedAt)}</span>
    </th>
    <td>
      ${issueBadge(issue)} ${issue.queued > 0 && html`<span class="sub">${issue.queued} more in its queue</span>`}
    </td>
    <td class="wide">${issue.stage ?? '–'}</td>
    <td class="wide fit">
      ${issue.pullRequest === null ? '–' : pullRequestLink(urls, issue.repository, issue.pullRequest, null)}
    </td>
    <td class="wide fit">${when(issue.updatedAt)}</td>
  </tr>`;
}
