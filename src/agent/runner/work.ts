/** One run from its assignment to its report. */
import { refusedChangesIn } from '../../domain/run/protected-paths.ts';
import type { Redact } from '../../domain/agent/redaction.ts';
import type { LostConversation, WorkNotes } from '../../domain/run/work-notes.ts';
import { finishPrompt, readAnswer, refusedPrompt, repairPrompt, type AnswerReading } from '../answer.ts';
import type { AgentCli } from '../cli/agent-cli.ts';
import {
  keepConversation,
  restoreConversation,
  type ConversationKeeper,
  type RestoredConversation,
} from './conversation.ts';
import { followDirectives, TurnEnded, type Directives } from './directives.ts';
import { ResumeRefused, RunFailure } from './failure.ts';
import { keepWork } from './kept-work.ts';
import { keptNotice } from '../git/kept-commits.ts';
import { absentContent, absentNotice, type AbsentContent } from '../git/absent-content.ts';
import { GitFailure, type GitOptions } from '../git/git.ts';
import type { Log } from '../platform/log-line.ts';
import { preparePaths, type Paths } from '../paths.ts';
import type { Platform } from '../platform/platform.ts';
import { endProcesses } from '../process-tree.ts';
import type { Answer, Assignment, Report } from '../platform/protocol.ts';
import { publish, pushCommitted, readsOnly, unfinishedOf } from './publication.ts';
import { prepareRepository, type Repository } from '../git/repository.ts';
import { runTurn, type TurnEnd, type TurnSetting } from './turn.ts';

/** Of a failure's detail, before what is said of the work that was kept. */
const DETAIL_CHARACTERS = 3_000;

export interface RunnerContext {
  readonly platform: Platform;
  readonly paths: Paths;
  readonly tokenFile: string;
  readonly cli: AgentCli;
  readonly redact: Redact;
  readonly log: Log;
  /** Ends what the agent has left running. */
  readonly endStrays: () => Promise<void>;
  /** Ends the run without a report. */
  readonly signal: AbortSignal;
}

/** What of a run there is when it ends, however it ends. */
interface Begun {
  threadId?: string;
  repository?: Repository;
  absent?: AbsentContent;
  lost?: LostConversation;
}

/** Executes the assignment and returns the report. Rejects only if `signal` ends the run without a report. */
export async function carryOut(assignment: Assignment, context: RunnerContext): Promise<Report> {
  const { limits } = assignment;
  const deadline = new AbortController();
  const until = Date.now() + limits.runSeconds * 1000;
  /** The time of a run counts while its agent works. */
  const limitTime = (): NodeJS.Timeout =>
    setTimeout(
      () => deadline.abort(new RunFailure('deadline_exceeded', `the run took longer than ${limits.runSeconds} s`)),
      until - Date.now(),
    );
  let timer = limitTime();
  const keeper = keepConversation(context);
  const directives = followDirectives(context.platform, context.log);
  const begun: Begun = {};
  try {
    const bounded = { ...context, signal: AbortSignal.any([context.signal, deadline.signal]) };
    const { repository, answer, again } = await letAgentWork(assignment, { ...bounded, directives }, keeper, begun);
    clearTimeout(timer);
    const git = gitOptions(assignment, context);
    const { model, reasoningEffort } = assignment;
    const session = { threadId: begun.threadId ?? '', model, reasoningEffort };
    if (answer.question) {
      const pushed = await pushCommitted(repository, assignment, git, context.log).catch(async (error: unknown) => {
        // People may be asked about just that: a conflict, a protected file.
        if (!(error instanceof RunFailure && error.failure === 'push_refused')) throw error;
        context.log('runner', `Before the question nothing could be pushed (${error.message})`);
        context.log('runner', await keptOf(error, assignment, context, begun));
        return null;
      });
      await keeper.store();
      return { outcome: 'asked', question: answer.question, headSha: pushed, ...session };
    }
    const published = await publish(repository, assignment, answer, git, context.log)
      .then((done) => ({ ...done, answer }))
      .catch(async (error: unknown) => {
        const refusal = error instanceof RunFailure ? refusedChangesIn(error.message) : undefined;
        if (refusal === undefined) throw error;
        context.log('runner', `The push was refused (${refusal}); asking the agent to take that out`);
        timer = limitTime();
        const reading = await again(refusedPrompt(refusal, assignment.baseBranch));
        clearTimeout(timer);
        const last = 'answer' in reading && !reading.answer.question ? reading.answer : answer;
        return { ...(await publish(repository, assignment, last, git, context.log)), answer: last };
      });
    const { headSha, heldBack } = published;
    return { outcome: 'finished', answer: published.answer, headSha, ...session, ...notesOf(heldBack, begun) };
  } catch (error) {
    if (context.signal.aborted) throw error;
    if (error instanceof TurnEnded) return await parkedReport(assignment, context, keeper, begun);
    return failedReport(error, begun.threadId, await keptOf(error, assignment, context, begun));
  } finally {
    clearTimeout(timer);
    directives.close();
    await context.endStrays();
    keeper.close();
    await keeper
      .store()
      .catch((error: unknown) => context.log('error', `The conversation was not stored: ${String(error)}`));
  }
}

/** The report of a turn that the platform ended: what is committed is pushed, and the conversation is stored. */
async function parkedReport(
  assignment: Assignment,
  context: RunnerContext,
  keeper: ConversationKeeper,
  { repository, threadId }: Begun,
): Promise<Report> {
  await context.endStrays();
  const { log } = context;
  const options = gitOptions(assignment, context);
  const pushed = repository
    ? await pushCommitted(repository, assignment, options, log).catch((error: unknown) => {
        log('error', `What is committed was not pushed; it stays in the workspace: ${String(error)}`);
        return null;
      })
    : null;
  await keeper.store();
  const { model, reasoningEffort } = assignment;
  return { outcome: 'parked', headSha: pushed, threadId: threadId ?? '', model, reasoningEffort };
}

async function keptOf(error: unknown, assignment: Assignment, context: RunnerContext, begun: Begun): Promise<string> {
  const { platform, log } = context;
  const { repository } = begun;
  if (!(error instanceof RunFailure) || !repository) return '';
  return keepWork(error.failure, {
    assignment,
    repository,
    options: gitOptions(assignment, context),
    platform,
    log,
  });
}

async function letAgentWork(
  assignment: Assignment,
  { directives, ...context }: RunnerContext & { readonly directives: Directives },
  keeper: ConversationKeeper,
  begun: Begun,
): Promise<{ repository: Repository; answer: Answer; again: (prompt: string) => Promise<AnswerReading> }> {
  const { paths, cli, log } = context;
  await preparePaths(paths, assignment.author);
  await endProcesses(cli.mark); // left by a killed runner
  const bundle = assignment.kept ? await context.platform.keptCommits() : undefined;
  const earlier = assignment.kept && bundle ? { headSha: assignment.kept.headSha, bundle } : null;
  const repository = await prepareRepository({ ...assignment, earlier }, gitOptions(assignment, context), log).catch(
    (error: unknown) => {
      throw error instanceof GitFailure ? new RunFailure('clone_failed', error.output) : error;
    },
  );
  begun.repository = repository;
  begun.absent = await absentContent(repository.git, repository.directory);
  const absent = absentNotice(begun.absent);
  if (absent !== '') log('runner', absent);
  const unpushed = repository.kept ? keptNotice(repository.kept, assignment.kept?.reason ?? '') : '';
  await cli.prepare();
  const restored = await restoreConversation(assignment.resumeThreadId, context);

  const signal = AbortSignal.any([context.signal, directives.signal]);
  const setting: TurnSetting = { ...context, assignment, keeper, signal, onLine: directives.line };
  const turn = async (prompt: string, threadId: string | undefined): Promise<TurnEnd> => {
    const end = await runTurn(prompt, threadId, {
      ...setting,
      keeper: { ...keeper, follow: (id) => keeper.follow((begun.threadId = id)) },
    });
    await context.endStrays();
    await keeper.store().catch((error: unknown) => log('error', `The conversation was not stored: ${String(error)}`));
    return end;
  };

  const again = async (prompt: string): Promise<AnswerReading> =>
    readAnswerOf(assignment, (await turn(prompt, begun.threadId)).message);

  const told = (...prompt: readonly string[]): string => [...prompt, unpushed, absent].filter(Boolean).join('\n\n');
  const startOver = async (lost: LostConversation): Promise<TurnEnd> => {
    begun.lost = lost;
    return turn(told(assignment.fresh ?? assignment.prompt, await commitsSoFar(repository, assignment)), undefined);
  };
  const begin = async ({ threadId, lost }: RestoredConversation): Promise<TurnEnd> => {
    if (lost !== undefined) return startOver(lost);
    try {
      return await turn(told(assignment.prompt), threadId);
    } catch (error) {
      if (!(error instanceof ResumeRefused)) throw error;
      log('runner', `The conversation cannot be gone on with (${error.message}); a new one begins`);
      return startOver('refused');
    }
  };

  const first = await begin(restored);
  const reading = readAnswerOf(assignment, first.message);
  // An agent may stop in a merge to ask people about it.
  const stays = readsOnly(assignment) || ('answer' in reading && reading.answer.question !== null);
  const unfinished = stays ? undefined : await unfinishedOf(repository);
  if ('answer' in reading && unfinished === undefined) return { repository, answer: reading.answer, again };
  const prompt =
    unfinished === undefined && 'problem' in reading ? repairPrompt(reading.problem) : finishPrompt(unfinished ?? '');
  log(
    'runner',
    unfinished === undefined && 'problem' in reading
      ? `The agent's answer is not valid (${reading.problem}); asking once more`
      : `The agent's work is not finished (${unfinished}); asking once more`,
  );
  const second = await again(prompt);
  if ('answer' in second) return { repository, answer: second.answer, again };
  if ('answer' in reading) return { repository, answer: reading.answer, again };
  throw new RunFailure('answer_invalid', `the final answer is not the JSON that was asked for: ${second.problem}`);
}

/** A discussion has no `question`: its comment asks, and every comment of a person starts a run, so nothing waits. */
function readAnswerOf({ kind }: Assignment, message: string | undefined): AnswerReading {
  const reading = readAnswer(message);
  return kind === 'discussion' && 'answer' in reading && reading.answer.question !== null
    ? { problem: 'in a discussion `question` is null: ask in `summary`' }
    : reading;
}

function gitOptions(assignment: Assignment, { paths, tokenFile, signal }: RunnerContext): GitOptions {
  return { paths, tokenFile, cloneUrl: assignment.cloneUrl, signal };
}

function notesOf(heldBack: WorkNotes['heldBack'], { absent, lost }: Begun): { notes?: WorkNotes } {
  const nothing = { lfsFiles: 0, submodules: [] };
  const notes = { heldBack, absent: absent ?? nothing, ...(lost === undefined ? {} : { lostConversation: lost }) };
  const isEmpty = heldBack.length + notes.absent.lfsFiles + notes.absent.submodules.length === 0;
  return isEmpty && lost === undefined ? {} : { notes };
}

/** Commits that a new conversation is told of. */
const COMMITS = '30';

/** What the branch has, for an agent that does not remember it; empty if there is nothing. */
async function commitsSoFar({ git }: Repository, { baseBranch }: Assignment): Promise<string> {
  const range = `refs/remotes/origin/${baseBranch}..HEAD`;
  const commits = await git('log', '--oneline', '--no-decorate', '-n', COMMITS, range).catch(() => '');
  return commits.trim() === '' ? '' : `The newest commits of the branch:\n\n${commits.trim().replaceAll(/^/gm, '> ')}`;
}

function failedReport(error: unknown, threadId: string | undefined, kept: string): Report {
  const failure = error instanceof RunFailure ? error.failure : 'platform_error';
  const detail = error instanceof RunFailure ? error.message : `the runner failed: ${String(error)}`;
  return {
    outcome: 'failed',
    failure,
    detail: kept === '' ? detail : `${detail.slice(0, DETAIL_CHARACTERS)}\n\n${kept}`,
    ...(threadId === undefined ? {} : { threadId }),
  };
}
