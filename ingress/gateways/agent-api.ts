/** The API that an agent's container uses (src/agent/platform/protocol.ts). */
import { setTimeout as delay } from 'node:timers/promises';
import { Hono, type MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import {
  KEPT_COMMITS_BYTES,
  LogBatch,
  Report,
  type Assignment,
  type Directives,
} from '../../src/agent/platform/protocol.ts';
import { promptToGoOn, startOverPrompt } from '../../src/domain/agent/going-on.ts';
import { createLinesRedactor, createRedactor, redactDeep } from '../../src/domain/agent/redaction.ts';
import { findAttempt, findLastReport, storeReport, type AssignmentRow } from '../../src/store/runs/assignments.ts';
import { findThread } from '../../src/store/runs/conversations.ts';
import { leavesWork } from '../../src/domain/stages/stages.ts';
import { dropKeptCommits, findKeptCommits, keepCommits, readKeptCommits } from '../../src/store/runs/kept-commits.ts';
import type { Database } from '../../src/store/connection/database.ts';
import { findParkedCall } from '../../src/store/runs/tool-calls.ts';
import { nextLogLine, storeLogLines } from '../../src/store/runs/run-log.ts';
import { bodyTooLarge, failure } from '../http/errors.ts';
import { createConversationRoutes } from './conversations.ts';
import { bearer, type RunAccess, type RunEnv } from './run-access.ts';
import { createRunWrites } from './write-limits.ts';

export interface AgentApiOptions {
  readonly db: Database;
  readonly access: RunAccess;
  /** Where agents reach this server, without a slash at its end. */
  readonly platformUrl: string;
  readonly author: { readonly name: string; readonly email: string };
  readonly limits: { readonly stallSeconds: number; readonly runSeconds: number };
  /** Secrets of the platform, hidden wherever an agent sends them. */
  readonly secrets: readonly string[];
  /** Milliseconds after which a runner that asks for directives is told that there are none. */
  readonly directiveWaitMs?: number;
}

/** Less than what runners, and whatever stands between, wait for an answer. */
const DIRECTIVE_WAIT_MS = 25_000;
/** Milliseconds between two looks for a parked call. */
const LOOK_MS = 1000;

/** Bytes of a batch of log lines, and of a report: a body is parsed as a whole. */
const BATCH_LIMIT = 4 * 1024 * 1024;
const REPORT_LIMIT = 4 * 1024 * 1024;

export function createAgentApi({
  db,
  access,
  platformUrl,
  author,
  limits,
  secrets,
  directiveWaitMs = DIRECTIVE_WAIT_MS,
}: AgentApiOptions): Hono<RunEnv> {
  const app = new Hono<RunEnv>();
  const writes = createRunWrites();
  /** What no agent may have stored: comments, events and pull requests are made of it, whatever program sent it. */
  const known = (authorization: string | undefined): string[] => [bearer(authorization) ?? '', ...secrets];

  app.use(async (c, next) => {
    const run = await access.open(bearer(c.req.header('authorization')));
    if (!run) return failure(c, 401, 'unauthorized', 'the run token is not valid, or its run is over');
    c.set('run', run);
    return next();
  });

  /** Lets a run's writes pass one after the other, at a bounded rate; the body of one that waits is not read. */
  const oneAtATime: MiddlewareHandler<RunEnv> = async (c, next) => {
    const done = await writes.write(c.get('run').runId, async (spend) => {
      c.set('spend', spend);
      await next();
    });
    if (!done) return undefined;
    c.header('retry-after', String(done.retryAfter));
    return failure(c, 429, 'resource_exhausted', 'this run writes too much or too fast');
  };

  app.get('/assignment', async (c) => {
    const run = c.get('run');
    const [own, message, before] = await Promise.all([
      findThread(db, run.runId),
      messageOf(db, run.runId, run.attempt),
      messageOf(db, run.runId, run.attempt - 1),
    ]);
    const resumeThreadId = own ?? run.resumeThreadId;
    return c.json({
      runId: run.runId,
      repository: run.repositoryFullName,
      cloneUrl: `${platformUrl}/git/${run.repositoryFullName}.git`,
      branch: run.branch,
      baseBranch: run.baseBranch,
      // A revise that goes on after a question has pushed already; that counts as its work.
      since: run.kind === 'revise' ? (message === null ? null : run.startSha) : run.sinceSha,
      kind: run.kind,
      prompt: promptToGoOn({
        prompt: run.prompt,
        hasConversation: own !== undefined,
        message,
        wasInterrupted: message === before,
      }),
      cli: run.cli,
      ...(run.command === null ? {} : { command: run.command }),
      model: run.model,
      reasoningEffort: run.reasoningEffort,
      modelBaseUrl: `${platformUrl}/model/v1`,
      mcpUrl: `${platformUrl}/mcp`,
      resumeThreadId,
      ...(resumeThreadId === null
        ? {}
        : { fresh: startOverPrompt({ prompt: run.prompt, message, done: await doneBefore(db, run) }) }),
      interrupted: run.attempt > 1,
      ...(await keptBefore(db, run)),
      firstLogLine: await nextLogLine(db, run.runId),
      author,
      limits,
    } satisfies Assignment);
  });

  app.route('/', createConversationRoutes({ db, oneAtATime, redactor: (header) => createRedactor(known(header)) }));

  app.get('/commits', async (c) => {
    const kept = await findKeptCommits(db, c.get('run'));
    if (!kept) return failure(c, 404, 'not_found', 'no commits of an earlier run are kept');
    const bundle = ReadableStream.from(readKeptCommits(db, kept.runId)) as ReadableStream<Uint8Array>;
    return c.body(bundle, 200, { 'content-type': 'application/x-git-bundle', 'x-head-sha': kept.headSha });
  });

  app.put('/commits', oneAtATime, async (c) => {
    const run = c.get('run');
    if (!leavesWork(run)) return failure(c, 403, 'forbidden', 'this run only reads; nothing of it is kept');
    const headSha = c.req.header('x-head-sha') ?? '';
    if (!/^[0-9a-f]{40}$/.test(headSha))
      return failure(c, 400, 'invalid_argument', 'the header is missing or malformed', 'x-head-sha');
    const body = c.req.raw.body ?? new ReadableStream<Uint8Array>({ start: (controller) => controller.close() });
    const kept = await keepCommits(db, run, headSha, body, KEPT_COMMITS_BYTES);
    return kept ? c.body(null, 204) : bodyTooLarge(c);
  });

  app.post('/log', oneAtATime, bodyLimit({ maxSize: BATCH_LIMIT, onError: bodyTooLarge }), async (c) => {
    const batch = LogBatch.safeParse(await c.req.json().catch(() => undefined));
    if (!batch.success) return failure(c, 400, 'invalid_argument', 'the body is not a batch of log lines', 'lines');
    const { lines } = batch.data;
    const texts = createLinesRedactor(known(c.req.header('authorization')))(lines.map(({ text }) => text));
    await storeLogLines(
      db,
      c.get('run').runId,
      lines.map((line, index) => ({ ...line, text: texts[index] ?? '' })),
    );
    return c.body(null, 204);
  });

  app.get('/directives', async (c) => {
    const { runId, attempt } = c.get('run');
    const until = Date.now() + directiveWaitMs;
    while (!c.req.raw.signal.aborted) {
      if (await findParkedCall(db, runId, attempt))
        return c.json({ endTurn: { reason: 'parked' } } satisfies Directives);
      if (Date.now() >= until) break;
      await delay(Math.min(LOOK_MS, directiveWaitMs));
    }
    return c.json({ endTurn: null } satisfies Directives);
  });

  app.post('/report', oneAtATime, bodyLimit({ maxSize: REPORT_LIMIT, onError: bodyTooLarge }), async (c) => {
    const report = Report.safeParse(await c.req.json().catch(() => undefined));
    if (!report.success) return failure(c, 400, 'invalid_argument', 'the body is not a report', 'outcome');
    const { runId, attempt } = c.get('run');
    const redact = createRedactor(known(c.req.header('authorization')));
    const clean = redactDeep(report.data, (text) => storable(redact(text)));
    await storeReport(db, runId, attempt, clean);
    if (clean.outcome === 'finished' && leavesWork(c.get('run'))) await dropKeptCommits(db, c.get('run'));
    return c.body(null, 204);
  });
  return app;
}

/** What is kept of an earlier run on the branch, and why it was not pushed. */
async function keptBefore(db: Database, run: AssignmentRow): Promise<Pick<Assignment, 'kept'>> {
  if (!leavesWork(run)) return {};
  const kept = await findKeptCommits(db, run);
  if (!kept) return {};
  const report = await findLastReport(db, kept.runId);
  return { kept: { headSha: kept.headSha, reason: report?.outcome === 'failed' ? report.detail : '' } };
}

/** What the last agent whose conversation this run goes on with has reported; null if nothing is known of it. */
async function doneBefore(db: Database, run: AssignmentRow): Promise<string | null> {
  const report =
    (await findLastReport(db, run.runId)) ??
    (run.resumeRunId === null ? undefined : await findLastReport(db, run.resumeRunId));
  if (report?.outcome === 'finished') return report.answer.summary;
  if (report?.outcome === 'asked') return report.question.text;
  return report?.outcome === 'failed' ? report.detail : null;
}

/** A text that Postgres can hold in JSON. */
function storable(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\u{FFFD}');
}

/** What the platform has the agent of an attempt go on with, or null. */
async function messageOf(db: Database, runId: string, attempt: number): Promise<string | null> {
  return (await findAttempt(db, runId, attempt))?.message ?? null;
}
