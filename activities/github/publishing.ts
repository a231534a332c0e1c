/** The platform's writes to GitHub. Everything is looked for by a marker or a name before it is created. */
import { activityInfo, ApplicationFailure, log } from '@temporalio/activity';
import type { IssueRef } from '../../src/domain/issue/facts.ts';
import type { GitHubIssueState, GitHubPullRequestState } from '../../src/domain/issue/reads.ts';
import type { Locale } from '../../src/domain/locale.ts';
import { commentTexts } from '../../src/domain/messages/comment-texts.ts';
import { embedded } from '../../src/domain/messages/markdown.ts';
import { learningMarker, renderLearning } from '../../src/domain/messages/learning.ts';
import { renderWorkNotes } from '../../src/domain/messages/work-notes.ts';
import { answerMarker, renderPullRequest, type PullRequestText } from '../../src/domain/messages/pull-request.ts';
import { refusalMarker, renderRefusal, type Refusal } from '../../src/domain/messages/refusal-comment.ts';
import { unwantedIn } from '../../src/domain/run/held-back.ts';
import type { AgentReport, Explanation } from '../../src/domain/run/runs.ts';
import type { Trigger } from '../../src/domain/run/trigger.ts';
import { outsideScope } from '../../src/domain/run/scope.ts';
import { RUN_DEBUG, stageRow, type TriggerTarget } from '../../src/domain/stages/stages.ts';
import { closeAssignment, findAssignment, findLastReport } from '../../src/store/runs/assignments.ts';
import { keepExplanations } from '../../src/store/projects/learning.ts';
import type { Database } from '../../src/store/connection/database.ts';
import { refusedAmong } from '../../src/store/intake/memberships.ts';
import { presentRepository, type GitHubIdentities } from '../../src/store/projects/present-repository.ts';
import { isPushing } from '../../src/store/runs/push-leases.ts';
import type { RunSettings } from '../../src/domain/stages/settings.ts';
import { classified, permanent } from '../failures.ts';

/** The part of GitHub's client that this file needs. */
export interface GitHubIssues {
  react(issue: IssueRef, content: 'eyes'): Promise<void>;
  reactToComment(issue: IssueRef, comment: number, content: 'eyes' | '+1'): Promise<void>;
  reactToReview(issue: IssueRef, pullRequest: number, review: number): Promise<void>;
  readLabels(issue: IssueRef, label: string): Promise<GitHubIssueState>;
  /** Creates or updates the comment that carries the marker. */
  writeComment(
    issue: IssueRef,
    comment: { marker: string; body: string; knownId: number | null },
  ): Promise<{ id: number; url: string }>;
  addLabel(repository: IssueRef, number: number, label: string): Promise<void>;
  /** Does nothing if the label is not there. */
  removeLabel(repository: IssueRef, number: number, label: string): Promise<void>;
}

export interface GitHubPullRequests extends GitHubIdentities {
  readPullRequest(repository: IssueRef, pullRequest: number): Promise<GitHubPullRequestState>;
  /** Finds the pull request that is known, or that of a branch, or opens one; a revised one is never another. */
  openPullRequest(
    repository: IssueRef,
    branch: { head: string; base: string },
    text: PullRequestText,
    known: { readonly number: number; readonly revised: boolean } | null,
  ): Promise<{ number: number; url: string; created: boolean }>;
  /** The commit at the head of a branch; null when there is no such branch. */
  readBranchHead(repository: IssueRef, branch: string): Promise<string | null>;
  changedFiles(repository: IssueRef, base: string, head: string): Promise<ChangedFiles>;
  /** Answers a review comment in its thread, once for each marker. False when the comment is gone. */
  answerComment(
    repository: IssueRef,
    pullRequest: number,
    commentId: number,
    answer: { marker: string; body: string },
  ): Promise<boolean>;
}

/** Not all of them (`all`) where GitHub cuts its list. `added`: those that the base does not have. */
interface ChangedFiles {
  readonly paths: readonly string[];
  readonly added: readonly string[];
  readonly all: boolean;
}

interface PublishInput {
  readonly issue: IssueRef;
  readonly runId: string;
  readonly target: TriggerTarget;
  readonly requestedBy: string;
  readonly branch: string;
  readonly settings: RunSettings;
  /** Whether merging closes the issue. */
  readonly closes: boolean;
  /** The number of the pull request that the run continues; missing or null before there is one. */
  readonly pullRequest?: number | null;
}

export interface GitHubPorts {
  readonly db: Database;
  readonly github: GitHubIssues & GitHubPullRequests;
}

/** GitHub may list a `labeled` event some seconds after the webhook: looks, a second or two apart. */
const LOOKS = 6;

const NOTHING: ChangedFiles = { paths: [], added: [], all: true };

/** An event that is this much older than the delivery is another one. */
const SAME_EVENT_MS = 60_000;

export function createGitHubActivities({ db, github }: GitHubPorts) {
  /**
   * Fails if a stage's work changes files outside its scope, whatever the agent reports: the commit at the head of the branch on
   * GitHub is compared with the head before the run, without what came in from the base branch.
   */
  async function holdScope(
    { issue, target }: Pick<PublishInput, 'issue' | 'target'>,
    { base, head }: { readonly base: string; readonly head: string },
    startSha: string | null,
  ): Promise<void> {
    const { scope } = stageRow(target.stage);
    if (scope === 'code') return;
    const [own, whole, ofBase] = await classified(() =>
      Promise.all([
        github.changedFiles(issue, startSha ?? base, head),
        github.changedFiles(issue, base, head),
        startSha === null ? NOTHING : github.changedFiles(issue, startSha, base),
      ]),
    );
    if (!own.all) throw permanent('ScopeViolation', 'too many files to look at each of them');
    const onlyFromBase = (path: string): boolean => ofBase.paths.includes(path) && !whole.paths.includes(path);
    const looked = whole.all && ofBase.all ? own.paths.filter((path) => !onlyFromBase(path)) : own.paths;
    const outside = outsideScope(scope, looked);
    if (outside.length > 0) throw permanent('ScopeViolation', outside.join('\n'));
  }

  /**
   * Where the platform uses a member's own token, its account says nothing of who took a label off. The platform does so only when
   * the run of the label's event is over, and such an event is not decided on any more; so of one that is, a person did it.
   */
  async function withPeoplesRemovals({ repositoryId }: IssueRef, read: GitHubIssueState): Promise<GitHubIssueState> {
    const removers = read.labeled.flatMap(({ clearedByPlatform, takenOffBy }) =>
      clearedByPlatform && takenOffBy ? [takenOffBy.id] : [],
    );
    if (removers.length === 0) return read;
    const refused = await refusedAmong(db, repositoryId, removers);
    const labeled = read.labeled.map((event) => ({
      ...event,
      clearedByPlatform: event.clearedByPlatform && refused[event.takenOffBy?.id ?? 0] !== undefined,
    }));
    return { ...read, labeled };
  }

  /** Fails, to be repeated in a moment, while the gateway still sends a push of the run on. */
  async function unlessPushing(runId: string): Promise<void> {
    if (!(await isPushing(db, runId))) return;
    throw ApplicationFailure.create({
      type: 'PushUnderWay',
      message: 'a push of the run is still on its way to GitHub',
      nextRetryDelay: '500 ms',
    });
  }

  /** Keeps what the agent explains, and posts it once, if the run is in learning mode. A comment that cannot be written fails nothing. */
  async function explain(
    { issue, runId, settings }: PublishInput,
    pullRequest: number,
    explanations: readonly Explanation[],
  ): Promise<void> {
    if (explanations.length === 0 || !(await findAssignment(db, runId))?.learning) return;
    await keepExplanations(db, runId, explanations);
    const comment = {
      marker: learningMarker(runId),
      body: renderLearning(runId, explanations, settings.locale),
      knownId: null,
    };
    await github.writeComment({ ...issue, number: pullRequest }, comment).catch((error: unknown) => {
      log.warn('the explanations were not posted', { runId, error: String(error) });
    });
  }

  return {
    /** Reacts with eyes, to show that the trigger was seen. */
    async acknowledge({
      issue,
      trigger,
      pullRequest,
      content = 'eyes',
    }: {
      issue: IssueRef;
      trigger: Trigger;
      pullRequest: number | null;
      /** The reaction to a comment: eyes for seen, thumbs up for answered. */
      content?: 'eyes' | '+1';
    }): Promise<void> {
      await classified(() => {
        if (trigger.kind === 'comment') return github.reactToComment(issue, trigger.comment, content);
        return trigger.kind === 'review' && pullRequest !== null
          ? github.reactToReview(issue, pullRequest, trigger.review)
          : github.react(issue, 'eyes');
      });
    },

    /** Reads the issue on GitHub, and waits a little for a `labeled` event that GitHub does not list yet. */
    async readIssue(input: {
      issue: IssueRef;
      label: string;
      facts: readonly { account: number; at: string; taken: number }[];
    }): Promise<GitHubIssueState> {
      const read = await classified(() => github.readLabels(input.issue, input.label));
      const issue = await withPeoplesRemovals(input.issue, read);
      const standing = issue.open && issue.labels.some((label) => label.toLowerCase() === input.label);
      const unlisted = input.facts.some(({ account, at, taken }) => {
        const theirs = issue.labeled.filter((event) => event.account === account);
        const newest = Math.max(0, ...theirs.map((event) => Date.parse(event.at)));
        return !theirs.some(({ id }) => id > taken) && newest < Date.parse(at) - SAME_EVENT_MS;
      });
      if (standing && unlisted && activityInfo().attempt < LOOKS) {
        throw ApplicationFailure.create({
          type: 'LabelEventNotListed',
          message: 'GitHub does not list the labeled event yet',
          nextRetryDelay: '1500 ms',
        });
      }
      // Anybody with triage rights can put it on; only people who may start runs keep a workspace (docs/security.md).
      if (input.label !== RUN_DEBUG) return issue;
      const setters = issue.labeled.slice(-1).map(({ account }) => account);
      return { ...issue, refused: await refusedAmong(db, input.issue.repositoryId, setters) };
    },

    async writeRefusal({
      issue,
      refusal,
      locale,
    }: {
      issue: IssueRef;
      refusal: Refusal;
      locale: Locale;
    }): Promise<void> {
      await classified(() =>
        github.writeComment(issue, {
          marker: refusalMarker(refusal),
          body: renderRefusal(refusal, locale),
          knownId: null,
        }),
      );
    },

    /**
     * Removes a label from the issue, and adds one to it and to the pull request. `unlessOpen`: a pull request from which the
     * label is removed too; nothing is done while it is open, unless `evenIfOpen`.
     */
    async moveLabels(input: {
      issue: IssueRef;
      remove: string | null;
      add: string | null;
      pullRequest: number | null;
      unlessOpen?: number;
      evenIfOpen?: true;
    }): Promise<void> {
      const { issue, remove, add, pullRequest, unlessOpen, evenIfOpen } = input;
      await classified(async () => {
        if (unlessOpen !== undefined && !evenIfOpen && (await github.readPullRequest(issue, unlessOpen)).open) return;
        if (remove !== null) await github.removeLabel(issue, issue.number, remove);
        if (remove !== null && unlessOpen !== undefined) await github.removeLabel(issue, unlessOpen, remove);
        if (add !== null) await github.addLabel(issue, issue.number, add);
        if (add !== null && pullRequest !== null) await github.addLabel(issue, pullRequest, add);
      });
    },

    /**
     * Closes the run's token, and opens the pull request for the commit that its scope was checked for: a process that outlives
     * its agent can push nothing in between.
     */
    async openPullRequest(input: PublishInput): Promise<{ number: number; url: string; created: boolean }> {
      const { issue, branch, settings } = input;
      // The default branch may have been renamed while the agent worked.
      const repository = await presentRepository(db, github, issue.repositoryId);
      const base = repository?.defaultBranch ?? settings.baseBranch;
      const { answer, notes } = await finishedReport(db, input.runId);
      await closeAssignment(db, input.runId);
      await unlessPushing(input.runId);
      const startSha = (await findAssignment(db, input.runId))?.startSha ?? null;
      for (let look = 1; ; look += 1) {
        // Without a branch GitHub says what is wrong, when the pull request is opened.
        const head = (await classified(() => github.readBranchHead(issue, branch))) ?? branch;
        await holdScope(input, { base, head }, startSha);
        const { added } = await classified(() => github.changedFiles(issue, base, head));
        const text = renderPullRequest(
          {
            issueNumber: issue.number,
            target: input.target,
            requestedBy: input.requestedBy,
            closes: input.closes,
            runUrl: `${settings.dashboardUrl}/runs/${input.runId}`,
            answer,
            notes,
            unwanted: unwantedIn(added),
          },
          settings.locale,
        );
        const pullRequest = await classified(() =>
          github.openPullRequest(issue, { head: branch, base }, text, knownOf(input)),
        );
        const now = await classified(() => github.readBranchHead(issue, branch));
        if (now === null || now === head) {
          await explain(input, pullRequest.number, answer.learning ?? []);
          return pullRequest;
        }
        // Somebody has pushed since: that is looked at too.
        if (look === LOOKS) throw new Error(`the branch ${branch} moves on while its pull request is opened`);
      }
    },

    /** Posts the agent's answers in the threads of their comments, and one for the review as a whole. */
    async answerReview(input: {
      issue: IssueRef;
      runId: string;
      pullRequest: number;
      settings: RunSettings;
    }): Promise<void> {
      const { issue, runId, pullRequest, settings } = input;
      const { answer, notes } = await finishedReport(db, runId);
      await classified(async () => {
        for (const { comment_id: commentId, answer: text } of answer.answers) {
          const marker = answerMarker(runId, `comment-${commentId}`);
          const posted = await github.answerComment(issue, pullRequest, commentId, {
            marker,
            body: `${marker}\n\n${embedded(text)}`,
          });
          if (!posted) log.warn('a review comment is gone', { runId, commentId });
        }
        const marker = answerMarker(runId, 'review');
        const body = [
          marker,
          commentTexts(settings.locale).reviewAnswer,
          embedded(answer.summary),
          renderWorkNotes(notes, settings.locale),
        ]
          .filter((part) => part !== '')
          .join('\n\n');
        await github.writeComment({ ...issue, number: pullRequest }, { marker, body, knownId: null });
      });
    },
  };
}

function knownOf({ pullRequest, target }: PublishInput): { number: number; revised: boolean } | null {
  return pullRequest === undefined || pullRequest === null
    ? null
    : { number: pullRequest, revised: target.kind === 'revise' };
}

async function finishedReport(db: Database, runId: string): Promise<Extract<AgentReport, { outcome: 'finished' }>> {
  const report = await findLastReport(db, runId);
  if (report?.outcome !== 'finished') throw permanent('ReportMissing', `run ${runId} has no finished report`);
  return report;
}
