/** An agent's assignment: the prompt, with the snapshot of what people wrote, the model selection, and the branch. */
import { createHash } from 'node:crypto';
import { issueKey, type IssueRef } from '../../src/domain/issue/facts.ts';
import { fullName } from '../../src/domain/issue/names.ts';
import { selectModel, type ModelSelection } from '../../src/domain/stages/model-selection.ts';
import { cliChoice, modelChoice, reasoningChoice } from '../../src/domain/stages/labels.ts';
import type { PromptSource } from '../../src/domain/agent/prompt-overrides.ts';
import { promptNames, renderPrompt } from '../../src/domain/agent/prompts.ts';
import { earlierWorkOfAnother } from '../../src/domain/agent/earlier-work.ts';
import type { AgentCliName } from '../../src/domain/stages/clis.ts';
import type { Heard } from '../../src/domain/run/runs.ts';
import type { RunSettings } from '../../src/domain/stages/settings.ts';
import type { GitHubReview, GitHubThread } from '../../src/domain/agent/reviews.ts';
import {
  asksForSomething,
  onlyVisible,
  takeSnapshot,
  type GitHubComment,
  type InputSnapshot,
} from '../../src/domain/agent/snapshot.ts';
import { leavesWork, normalizeLabel, roleOf, type TriggerTarget } from '../../src/domain/stages/stages.ts';
import {
  findAssignment,
  findLastReport,
  startBeforeFailure,
  storeAssignment,
} from '../../src/store/runs/assignments.ts';
import type { Database } from '../../src/store/connection/database.ts';
import { refusedAmong } from '../../src/store/intake/memberships.ts';
import { readDeliveredIssue } from '../../src/read-model/queries/deliveries.ts';
import { presentRepository, type GitHubIdentities } from '../../src/store/projects/present-repository.ts';
import { findLearning } from '../../src/store/projects/learning.ts';
import { knownPeople, type BoundRepository } from '../../src/store/projects/repositories.ts';
import { isOwnDeliveryId } from '../../src/domain/maintenance/reconcile.ts';
import { classified, permanent } from '../failures.ts';
import { readProjectDocuments } from './project-documents.ts';
import { toolsFor } from '../../src/domain/tools/catalogue.ts';
import { chooseTask, type GitHubFiles } from './prompt-task.ts';

/** The values of a prompt. */
export interface GitHubReading extends GitHubIdentities, GitHubFiles {
  /** When the title or text of an issue was last edited, ISO 8601; null if never. */
  readLastEdit(issue: IssueRef): Promise<string | null>;
  /** The accounts that put labels on last, by label in lower case. */
  readLabelSetters(issue: IssueRef): Promise<Readonly<Record<string, number>>>;
  readIssue(issue: IssueRef): Promise<{
    readonly title: string;
    readonly body: string;
    readonly labels: readonly string[];
    readonly comments: readonly GitHubComment[];
  }>;
  readReviews(
    repository: IssueRef,
    pullRequest: number,
  ): Promise<{ readonly reviews: readonly GitHubReview[]; readonly threads: readonly GitHubThread[] }>;
  /** What people see of a text on GitHub, and how much they do not. */
  visibleText(markdown: string): { readonly text: string; readonly removed: number };
  /** Null when there is no such branch. */
  readBranchHead(repository: IssueRef, branch: string): Promise<string | null>;
  /** Branches beside which git cannot have this one: a part of its name, or below it. */
  findBranchesInTheWay(repository: IssueRef, branch: string): Promise<readonly string[]>;
  /** The merge base of `base` and `head`; null when they have no common ancestor. */
  readMergeBase(repository: IssueRef, base: string, head: string): Promise<string | null>;
}

export interface AssignmentPorts {
  readonly db: Database;
  readonly github: GitHubReading;
  /** The text of a prompt seed. */
  readonly promptSeed: (name: string, locale: RunSettings['locale']) => string | undefined;
}

export interface AssignmentInput {
  readonly runId: string;
  readonly issue: IssueRef;
  readonly target: TriggerTarget;
  readonly settings: RunSettings;
  readonly branch: string;
  /** Set if the branch holds the work of earlier stages: only commits after its present head count as this run's. */
  readonly since: string | null;
  readonly resume: { readonly runId: string; readonly threadId: string; readonly selection?: ModelSelection } | null;
  readonly pullRequest: number | null;
  /** The delivery that asked for the run: its text of the issue counts. */
  readonly delivery: string;
  /** The review that asked for the run: it is read whatever the clocks say. */
  readonly review?: number;
  /** When the trigger happened, by GitHub's clock if known; ISO 8601. */
  readonly requestedAt: string;
  /** GitHub's id of the account that asked for the run; missing for a run of a version before 0.5.0. */
  readonly requestedBy?: number;
  /** Of a discussion: comments made after this time wait for an answer. */
  readonly answeredUntil?: string;
  /** Of a discussion: the newest comment that is answered; it counts instead of the time. */
  readonly heard?: Heard;
  /** Of the run that begins a discussion: when its label was put on, by GitHub's clock; ISO 8601. */
  readonly labeledAt?: string;
}

/** What the run needs to know of its assignment. */
export interface Assigned {
  readonly promptSha256: string;
  /** Where the task in the prompt is from; missing for a run of a version before 0.5.0. */
  readonly task?: { readonly source: PromptSource; readonly version: string; readonly sha256: string };
  /** Whether the agent explains what it changes; missing for a run of a version before 0.5.0. */
  readonly learning?: boolean;
  /** Why the documents that `services.yaml` names were left out, as the end of a sentence about that file. */
  readonly documentsProblem?: string;
  readonly snapshotSha256: string;
  readonly comments: number;
  readonly leftOut: InputSnapshot['leftOut'];
  readonly selection: ModelSelection;
  /** The commit of the base branch that the work is based on; null if there is none. */
  readonly baseCommit: string | null;
  readonly heard?: Heard;
}

export function createAssignmentActivities({ db, github, promptSeed }: AssignmentPorts) {
  /** The issue when the run was asked for; a review's delivery does not contain it, so the run before it does. */
  async function frozenText(
    { delivery, resume, issue, requestedAt, labeledAt }: AssignmentInput,
    now: { title: string; body: string },
  ): Promise<{ title: string; body: string }> {
    const delivered = await readDeliveredIssue(db, delivery);
    if (delivered) return delivered;
    const before = resume && (await findAssignment(db, resume.runId))?.snapshot;
    if (!before && isOwnDeliveryId(delivery)) await refuseEdited(issue, labeledAt ?? requestedAt);
    return before ? { title: before.title, body: before.body } : { title: now.title, body: now.body };
  }

  /**
   * Fails for an issue that was edited after its label was put on, if no webhook brought the text of that time: whoever put the
   * label on has not read what it says now (docs/reliability.md T27). GitHub's times are in whole seconds.
   */
  async function refuseEdited(issue: IssueRef, requestedAt: string): Promise<void> {
    const editedAt = await classified(() => github.readLastEdit(issue));
    if (editedAt === null || Date.parse(editedAt) < Math.floor(Date.parse(requestedAt) / 1000) * 1000) return;
    throw permanent(
      'EditedSince',
      `the issue was edited at ${editedAt}, after the label was put on at ${requestedAt}, and no webhook has brought its text of that time: read it, and put the label on again`,
    );
  }

  async function snapshotOf(input: AssignmentInput): Promise<{
    snapshot: InputSnapshot;
    issueLabels: readonly string[];
    pullRequestLabels: readonly string[];
    heard?: Heard;
  }> {
    const { issue, pullRequest, target } = input;
    const { onIssue, reviewed, onPullRequest } = await classified(async () => {
      const [said, onPullRequest, reviews] = await Promise.all([
        github.readIssue(issue),
        pullRequest === null ? null : github.readIssue({ ...issue, number: pullRequest }),
        pullRequest !== null && target.kind === 'revise'
          ? github.readReviews(issue, pullRequest)
          : { reviews: [], threads: [] },
      ]);
      return { onIssue: said, reviewed: reviews, onPullRequest };
    });
    const pullRequestComments = onPullRequest?.comments ?? [];
    const inThreads = reviewed.threads.flatMap(({ comments }) => comments);
    const said = [...onIssue.comments, ...pullRequestComments, ...reviewed.reviews, ...inThreads];
    const authors = [...new Set(said.map(({ by }) => by.id))];
    const known = await knownPeople(db, issue.repositoryId, authors);
    const text = await frozenText(input, onIssue);
    const before = input.resume ? ((await findAssignment(db, input.resume.runId))?.snapshot ?? undefined) : undefined;
    const taken = takeSnapshot({
      ...text,
      ...reviewed,
      comments: onIssue.comments,
      pullRequestComments,
      known,
      // A discussion answers what is there when it is read.
      at: (target.kind === 'discussion' ? newestTime(onIssue.comments) : undefined) ?? input.requestedAt,
      asked: input.review,
      before,
    });
    const snapshot = onlyVisible(taken, (text) => github.visibleText(text));
    if (target.kind === 'revise' && !asksForSomething(snapshot, before))
      throw permanent('NothingToRevise', nothingToRevise(pullRequest, snapshot));
    const [issueLabels, pullRequestLabels] = await Promise.all([
      permitted(issue, onIssue.labels),
      pullRequest === null ? [] : permitted({ ...issue, number: pullRequest }, onPullRequest?.labels ?? []),
    ]);
    const heard = Math.max(0, ...onIssue.comments.map(({ id }) => id));
    return { snapshot, issueLabels, pullRequestLabels, ...(target.kind === 'discussion' && { heard }) };
  }

  /**
   * Labels without those that choose a program, a model or a reasoning effort, and that somebody put on who may not start runs: GitHub lets
   * everybody with triage rights do that.
   */
  async function permitted(issue: IssueRef, labels: readonly string[]): Promise<readonly string[]> {
    if (!labels.some(selects)) return labels;
    const setters = await classified(() => github.readLabelSetters(issue));
    const setter = (label: string): number => setters[normalizeLabel(label)] ?? 0;
    const refused = await refusedAmong(db, issue.repositoryId, labels.filter(selects).map(setter));
    return labels.filter((label) => !selects(label) || refused[setter(label)] === undefined);
  }

  function modelSelectionOf(
    { settings, resume }: AssignmentInput,
    repository: BoundRepository | undefined,
    labels: { issueLabels: readonly string[]; pullRequestLabels: readonly string[] },
  ): ModelSelection {
    const selection = selectModel({
      ...labels,
      last: resume?.selection ?? null,
      project: repository?.agents ?? { cli: null, model: null, reasoningEffort: null },
      platform: settings,
    });
    if ('conflict' in selection)
      throw permanent(
        'FailedPrecondition',
        `only one of these labels can be followed: ${selection.conflict.join(', ')}`,
      );
    if (selection.cli === 'command' && !repository?.agents.command)
      throw permanent(
        'FailedPrecondition',
        'the agent is a program of the project’s own, and the project names none: “codex-k8s projects set PROJECT --command PROGRAM”',
      );
    return selection;
  }

  /** The conversation to go on with, and what the agent is told of it if it belongs to another program. */
  async function earlierWork(
    { target, resume, settings }: AssignmentInput,
    cli: AgentCliName,
  ): Promise<{ resume: AssignmentInput['resume']; summary?: string }> {
    if (!resume || (target.kind !== 'revise' && target.kind !== 'discussion')) return { resume: null };
    const [before, report] = await Promise.all([findAssignment(db, resume.runId), findLastReport(db, resume.runId)]);
    if (!before || before.cli === cli) return { resume };
    return { resume: null, summary: earlierWorkOfAnother(settings.locale, before.cli, report) };
  }

  /** Fails if the branch cannot be made, so that no agent works for nothing. */
  async function unlessInTheWay(issue: IssueRef, branch: string): Promise<void> {
    const [first, ...others] = await github.findBranchesInTheWay(issue, branch);
    if (first === undefined) return;
    const names = [first, ...others].join(', ');
    throw permanent(
      'BranchInTheWay',
      `git cannot have a branch ${branch} beside ${names}: rename or delete ${others.length === 0 ? 'it' : 'them'} in ${fullName(issue)}, or choose another prefix with “codex-k8s projects set PROJECT --branch-prefix PREFIX”`,
    );
  }

  /** The head of the branch and its merge base with the base branch; the base branch's head if there is no branch yet. */
  async function readBranch(
    { issue, branch }: AssignmentInput,
    baseBranch: string,
  ): Promise<{ head: string | null; baseCommit: string | null }> {
    return classified(async () => {
      const head = await github.readBranchHead(issue, branch);
      const baseCommit =
        head === null
          ? await github.readBranchHead(issue, baseBranch)
          : await github.readMergeBase(issue, baseBranch, head);
      if (head === null && baseCommit === null)
        throw permanent(
          'RepositoryEmpty',
          `${fullName(issue)} has no branch ${baseBranch}: push a first commit to it, then ask for the run again`,
        );
      if (head === null) await unlessInTheWay(issue, branch);
      return { head, baseCommit };
    });
  }

  return {
    /** Takes the snapshot, resolves the model selection, and stores the assignment. Idempotent: the first one counts. */
    async prepareAssignment(input: AssignmentInput): Promise<Assigned> {
      const { issue, settings, target } = input;
      const envelope = promptSeed(promptNames(target).envelope, settings.locale);
      if (envelope === undefined)
        throw permanent('PromptMissing', `there is no prompt for ${target.stage} ${target.kind}`);
      // The run may have waited since its settings were read, and the default branch may have been renamed.
      const repository = await presentRepository(db, github, issue.repositoryId);
      const baseBranch = repository?.defaultBranch ?? settings.baseBranch;
      const [{ snapshot, heard, ...labels }, { head, baseCommit }, { body, ...task }, docs, learning] =
        await Promise.all([
          snapshotOf(input),
          readBranch(input, baseBranch),
          chooseTask(
            { db, github, promptSeed },
            {
              issue,
              target,
              locale: settings.locale,
              project: repository?.project ?? null,
              defaultBranch: baseBranch,
            },
          ),
          readProjectDocuments(github, issue, { defaultBranch: baseBranch, role: roleOf(target) }),
          leavesWork(target) ? findLearning(db, issue.repositoryId, input.requestedBy ?? null) : false,
        ]);
      const selection = modelSelectionOf(input, repository, labels);
      const conversation = snapshot.comments.filter((comment) => !isAnswered(comment, input));
      const rendered = renderPrompt(
        { envelope, task: body },
        {
          target,
          locale: settings.locale,
          repository: fullName(issue),
          issueNumber: issue.number,
          issueTitle: snapshot.title,
          issueBody: snapshot.body,
          issueComments: snapshot.comments,
          leftOut: snapshot.leftOut,
          branch: input.branch,
          baseBranch,
          reviews: snapshot.reviews,
          pullRequestComments: snapshot.pullRequestComments ?? [],
          openThreads: snapshot.openThreads ?? [],
          conversation,
          documents: docs.documents,
          // A program of the user's own is not given them by us.
          tools: selection.cli === 'command' ? [] : toolsFor(target),
          learning,
        },
      );
      const { resume, summary } = await earlierWork(input, selection.cli ?? 'codex');
      const prompt = [rendered, summary].filter(Boolean).join('\n\n');
      const promptSha256 = sha256(prompt);
      const snapshotSha256 = sha256(JSON.stringify(snapshot));
      const failed = await startBeforeFailure(db, issueKey(issue), input.branch);
      await storeAssignment(db, {
        runId: input.runId,
        repositoryId: issue.repositoryId,
        // The repository's present name: GitHub's API redirects an old name, git does not (docs/reliability.md T20).
        repositoryFullName: fullName(repository ?? issue),
        issueKey: issueKey(issue),
        project: input.settings.project,
        branch: input.branch,
        baseBranch,
        kind: target.kind,
        stage: target.stage,
        prompt: storable(prompt),
        promptSha256,
        taskSource: task.source,
        taskVersion: task.version,
        taskSha256: task.sha256,
        learning,
        cli: selection.cli ?? 'codex',
        command: selection.cli === 'command' ? [...(repository?.agents.command ?? [])] : null,
        model: selection.model,
        reasoningEffort: selection.reasoningEffort,
        resumeThreadId: resume?.threadId ?? null,
        resumeRunId: resume?.runId ?? null,
        snapshot: JSON.parse(storable(JSON.stringify(snapshot)).replaceAll('\\u0000', '')) as InputSnapshot,
        snapshotSha256,
        sinceSha: input.since === null ? null : head,
        startSha: failed ? failed.startSha : head,
      });
      const { comments, leftOut } = snapshot;
      return {
        promptSha256,
        task,
        learning,
        ...(docs.problem === undefined ? {} : { documentsProblem: docs.problem }),
        snapshotSha256,
        comments: comments.length,
        leftOut,
        selection,
        baseCommit,
        ...(heard !== undefined && { heard }),
      };
    },
  };
}

/** Whether a run of the discussion before has answered the comment. */
function isAnswered(
  { id, at }: { readonly id: number; readonly at: string },
  { heard, answeredUntil }: AssignmentInput,
): boolean {
  if (heard !== undefined) return id <= heard;
  return answeredUntil !== undefined && Date.parse(at) <= Date.parse(answeredUntil);
}

/** When the newest of these comments was written or edited, by GitHub's clock; undefined if there is none. */
function newestTime(comments: readonly GitHubComment[]): string | undefined {
  const times = comments.flatMap(({ at, editedAt }) => [at, editedAt]);
  return times.toSorted((one, other) => Date.parse(other) - Date.parse(one))[0];
}

/** Says what was looked for, and what was left out of it. */
function nothingToRevise(pullRequest: number | null, { leftOut: { outsiders, edited } }: InputSnapshot): string {
  const left = [
    ...(outsiders > 0 ? [`${outsiders} by people outside the project`] : []),
    ...(edited > 0 ? [`${edited} edited after the request`] : []),
  ];
  const but = left.length > 0 ? `; left out: ${left.join(', ')}` : '';
  return `since the last run nobody requested changes on #${pullRequest ?? 0}, left a thread there open, or commented there or on the issue${but}`;
}

/** Whether a label chooses a program, a model or a reasoning effort. */
function selects(label: string): boolean {
  return [cliChoice([label]), modelChoice([label]), reasoningChoice([label])].some(
    (choice) => choice.conflict === undefined && choice.chosen !== undefined,
  );
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Replaces characters that Postgres cannot store. */
function storable(text: string): string {
  return text.toWellFormed().replaceAll('\0', '');
}
