/** One run from its assignment to its report. */
import type { Redact } from '../../domain/agent/redaction.ts';
import { readAnswer, repairPrompt, type AnswerReading } from '../answer.ts';
import type { AgentCli } from '../cli/agent-cli.ts';
import { keepConversation, restoreConversation, type ConversationKeeper } from './conversation.ts';
import { RunFailure } from './failure.ts';
import { GitFailure, type GitOptions } from '../git/git.ts';
import type { Log } from '../platform/log-line.ts';
import { preparePaths, type Paths } from '../paths.ts';
import type { Platform } from '../platform/platform.ts';
import { endProcesses } from '../process-tree.ts';
import type { Answer, Assignment, Report } from '../platform/protocol.ts';
import { publish, pushCommitted } from './publication.ts';
import { prepareRepository, type Repository } from '../git/repository.ts';
import { runTurn, type TurnEnd, type TurnSetting } from './turn.ts';

export interface RunnerContext {
  readonly platform: Platform;
  readonly paths: Paths;
  readonly tokenFile: string;
  readonly cli: AgentCli;
  readonly redact: Redact;
  readonly log: Log;
  /** Ends the run without a report. */
  readonly signal: AbortSignal;
}

/** Executes the assignment and returns the report. Rejects only if `signal` ends the run without a report. */
export async function carryOut(assignment: Assignment, context: RunnerContext): Promise<Report> {
  const { limits } = assignment;
  const deadline = new AbortController();
  const timer = setTimeout(
    () => deadline.abort(new RunFailure('deadline_exceeded', `the run took longer than ${limits.runSeconds} s`)),
    limits.runSeconds * 1000,
  );
  const keeper = keepConversation(context);
  const thread: { id?: string } = {};
  try {
    const bounded = { ...context, signal: AbortSignal.any([context.signal, deadline.signal]) };
    const { repository, answer } = await letAgentWork(assignment, bounded, keeper, thread);
    clearTimeout(timer);
    const git = gitOptions(assignment, context);
    const { model, reasoningEffort } = assignment;
    const session = { threadId: thread.id ?? '', model, reasoningEffort };
    if (answer.question) {
      const pushed = await pushCommitted(repository, assignment, git, context.log);
      await keeper.store();
      return { outcome: 'asked', question: answer.question, headSha: pushed, ...session };
    }
    return {
      outcome: 'finished',
      answer,
      headSha: await publish(repository, assignment, answer, git, context.log),
      ...session,
    };
  } catch (error) {
    if (context.signal.aborted) throw error;
    return failedReport(error, thread.id);
  } finally {
    clearTimeout(timer);
    keeper.close();
    await keeper
      .store()
      .catch((error: unknown) => context.log('error', `The conversation was not stored: ${String(error)}`));
  }
}

async function letAgentWork(
  assignment: Assignment,
  context: RunnerContext,
  keeper: ConversationKeeper,
  thread: { id?: string },
): Promise<{ repository: Repository; answer: Answer }> {
  const { paths, cli, log } = context;
  await preparePaths(paths, assignment.author);
  await endProcesses(cli.mark); // left by a killed runner
  const repository = await prepareRepository(assignment, gitOptions(assignment, context), log).catch(
    (error: unknown) => {
      throw error instanceof GitFailure ? new RunFailure('clone_failed', error.output) : error;
    },
  );
  await cli.prepare();
  const resumed = await restoreConversation(assignment.resumeThreadId, context);

  const setting: TurnSetting = { ...context, assignment, keeper };
  const turn = async (prompt: string, threadId: string | undefined): Promise<TurnEnd> => {
    const end = await runTurn(prompt, threadId, {
      ...setting,
      keeper: { ...keeper, follow: (id) => keeper.follow((thread.id = id)) },
    });
    await keeper.store().catch((error: unknown) => log('error', `The conversation was not stored: ${String(error)}`));
    return end;
  };

  const first = await turn(assignment.prompt, resumed);
  const reading = readAnswerOf(assignment, first.message);
  if ('answer' in reading) return { repository, answer: reading.answer };
  log('runner', `The agent's answer is not valid (${reading.problem}); asking once more`);
  const second = readAnswerOf(assignment, (await turn(repairPrompt(reading.problem), first.threadId)).message);
  if ('answer' in second) return { repository, answer: second.answer };
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

function failedReport(error: unknown, threadId: string | undefined): Report {
  const failure = error instanceof RunFailure ? error.failure : 'platform_error';
  const detail = error instanceof RunFailure ? error.message : `the runner failed: ${String(error)}`;
  return { outcome: 'failed', failure, detail, ...(threadId === undefined ? {} : { threadId }) };
}
