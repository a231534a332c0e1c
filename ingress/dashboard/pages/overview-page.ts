/** `/`: counters, notices, and the newest issues and runs. */
import { html } from 'hono/html';
import { networkWords } from '../../../src/domain/workspace/network-findings.ts';
import type { StoredNetworkFinding } from '../../../src/store/workspaces/cluster-findings.ts';
import type { CurrentWait } from '../../../src/store/github/waits.ts';
import type { Counters } from '../../../src/read-model/queries/counters.ts';
import type { IssueRecord } from '../../../src/read-model/queries/issues.ts';
import type { BoundRepositoryRecord } from '../../../src/read-model/queries/repositories.ts';
import type { RunRecord } from '../../../src/read-model/queries/runs.ts';
import type { Html } from '../components/layout.ts';
import { outsideLink, type Urls } from '../components/links.ts';
import { issuesTable, runsTable } from '../components/tables.ts';
import { exact } from '../../api/messages/times.ts';

export interface Overview {
  readonly counters: Counters;
  /** Set while GitHub's rate limit asks to wait. */
  readonly githubWait?: CurrentWait | undefined;
  /** The last probe of the cluster's network. */
  readonly network?: StoredNetworkFinding | undefined;
  readonly issues: readonly IssueRecord[];
  readonly runs: readonly RunRecord[];
  readonly repositories: readonly BoundRepositoryRecord[];
}

/** The body of the page. */
export function overviewPage(
  { counters, githubWait, network, issues, runs, repositories }: Overview,
  urls: Urls,
): Html {
  return html`<div class="title"><h1>Overview</h1></div>
    <div id="counters" data-live data-summary="${summary(counters)}">
      <ul class="counters">
        ${counter(counters.working, 'working', '/runs?status=working')}
        ${counter(counters.queued, 'waiting in a queue', '/runs?status=queued')}
        ${counter(counters.waiting, 'waiting for people', '/runs?status=waiting', 'attention')}
        ${counter(counters.inReview, 'waiting for a review', '/issues?state=waiting')}
        ${counter(counters.failed, 'failed in the last 24 hours', '/runs?status=failed', 'alarm')}
      </ul>
      ${
        counters.unsignaledIssues > 0 &&
        html`<div class="notice wait">
          <p>
            <strong>Temporal is unreachable.</strong> Facts of ${counters.unsignaledIssues}
            ${counters.unsignaledIssues === 1 ? 'issue' : 'issues'} are stored and will be signaled once it answers.
          </p>
        </div>`
      }
      ${githubWait && waitNotice(githubWait)} ${network && networkNotice(network)}
    </div>
    <section aria-labelledby="issues-heading">
      <div class="heading">
        <h2 id="issues-heading">Issues</h2>
        <a href="/issues">All issues</a>
      </div>
      <div id="issues" data-live>
        ${issues.length === 0 ? firstSteps(repositories, urls) : issuesTable(issues, urls)}
      </div>
    </section>
    <section aria-labelledby="runs-heading">
      <div class="heading">
        <h2 id="runs-heading">Runs</h2>
        <a href="/runs">All runs</a>
      </div>
      <div id="runs" data-live>
        ${
          runs.length === 0
            ? html`<p class="card empty muted">No run has been requested yet.</p>`
            : runsTable(runs, urls)
        }
      </div>
    </section>`;
}

function counter(count: number, words: string, path: string, alarm: 'alarm' | 'attention' | '' = ''): Html {
  return html`<li>
    <a class="card ${count > 0 ? alarm : ''}" href="${path}"><strong>${count}</strong> ${words}</a>
  </li>`;
}

function waitNotice({ until, reason }: CurrentWait): Html {
  return html`<div class="notice wait">
    <p>
      <strong>GitHub asks to wait until <time datetime="${until.toISOString()}">${exact(until)}</time>.</strong>
      Calls of GitHub's API are made after that; nothing is lost. GitHub's message: ${reason}
    </p>
  </div>`;
}

/** A notice if the cluster's network does not enforce policies, or that is unknown. */
function networkNotice(finding: StoredNetworkFinding): Html | '' {
  const words = networkWords(finding);
  if (!words) return '';
  const { found, agents, advice } = words;
  return html`<div class="notice wait">
    <p>
      <strong>${withCapital(agents)}:</strong> ${withSettings(found)}. What to do: ${withSettings(advice)}. Probed at
      <time datetime="${finding.foundAt.toISOString()}">${exact(finding.foundAt)}</time>.
    </p>
  </div>`;
}

function withCapital(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Sets names of settings in code. */
function withSettings(words: string): Html {
  const parts = words.split(/(CODEXK8S_\w+(?:=\w+)?)/);
  return html`${parts.map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : part))}`;
}

function summary({ working, queued, waiting, inReview, failed }: Counters): string {
  return `${working} working, ${queued} waiting in a queue, ${waiting} waiting for people, ${inReview} waiting for a review, ${failed} failed`;
}

function firstSteps(repositories: readonly BoundRepositoryRecord[], urls: Urls): Html {
  if (repositories.length === 0) {
    return html`<div class="card empty">
      <strong>No repository is bound yet.</strong>
      <p>Bind one, so that its labels can start agents: <code>npx codex-k8s repositories add OWNER/NAME</code></p>
      <p>Then put the label <code class="label">run:dev</code> on one of its issues.</p>
    </div>`;
  }
  return html`<div class="card empty">
    <strong>No run has been requested yet.</strong>
    <p>Put the label <code class="label">run:dev</code> on an issue of a bound repository:</p>
    <ul>
      ${repositories.map(
        ({ fullName }) => html`<li>${outsideLink(`${urls.githubUrl}/${fullName}/issues`, fullName)}</li>`,
      )}
    </ul>
    <p class="muted">If a label was set and nothing happened, the <a href="/deliveries">deliveries</a> say why.</p>
  </div>`;
}
