/** The staff API over HTTP, with the types of its two ends; whoever asks for something is told in plain sentences why not. */
import type { z } from 'zod';
import type * as decisions from '../../ingress/api/decisions.ts';
import type * as prompts from '../../ingress/api/prompts.ts';
import type * as requests from '../../ingress/api/requests.ts';
import type { PromptTaskView, PromptVersionView } from '../use-cases/prompt-overrides.ts';
import type { RepositoryBinding } from '../use-cases/repository-binding.ts';
import type {
  CostsView,
  EventView,
  IssueDetailsView,
  IssueView,
  ListView,
  LogView,
  RunView,
} from '../../ingress/api/views.ts';
import type { ErrorEnvelope } from '../../ingress/http/errors.ts';
import type { Request } from '../domain/run/requests.ts';
import type { ApprovalPolicy, PolicyDecision, PolicySubject } from '../domain/approvals/policy.ts';
import type { RunWait } from '../domain/run/waits.ts';
import type { RunPrompt } from '../store/runs/assignments.ts';
import type { setProject } from '../store/projects/repositories.ts';
import { CommandProblem } from '../terminal/problems.ts';

export interface ApiAddress {
  /** Without a slash at its end. */
  readonly url: string;
  readonly staffToken: string;
}

/** An issue by its key, or by its repository and number. */
export type IssueName =
  | { readonly key: string }
  | { readonly owner: string; readonly name: string; readonly number: number };

export type ProjectBody = z.input<typeof requests.ProjectBody>;
export type MemberBody = z.input<typeof requests.MemberBody>;
type Bound = Awaited<ReturnType<RepositoryBinding['bind']>>;
type LabelChanges = Awaited<ReturnType<RepositoryBinding['syncLabels']>>;

/** Every call rejects with {@link ApiRefusal} or {@link ApiAway}. */
export interface ApiClient {
  /** The newest first. */
  runs(query?: z.input<typeof requests.RunsQuery>): Promise<ListView<RunView>>;
  run(id: string): Promise<RunView>;
  runEvents(
    id: string,
    query?: z.input<typeof requests.EventsQuery>,
  ): Promise<{ readonly items: readonly EventView[] }>;
  runLog(id: string, query?: z.input<typeof requests.LogQuery>): Promise<LogView>;
  /** Asks for the end of a run, which comes later. */
  cancelRun(id: string, body: z.input<typeof requests.CancelBody>): Promise<{ readonly id: string }>;
  /** Answers what a run asks. */
  answerRun(
    id: string,
    body: z.input<typeof requests.AnswerBody>,
  ): Promise<{ readonly id: string; readonly request: Request }>;
  pauseRun(
    id: string,
    body: z.input<typeof requests.PauseBody>,
  ): Promise<{ readonly id: string; readonly wait: RunWait }>;
  resumeRun(id: string, body: z.input<typeof requests.ResumeBody>): Promise<{ readonly id: string }>;
  costs(query?: z.input<typeof requests.CostsQuery>): Promise<CostsView>;
  /** The one that changed last first. */
  issues(query?: z.input<typeof requests.IssuesQuery>): Promise<ListView<IssueView>>;
  issue(issue: IssueName): Promise<IssueDetailsView>;
  bindRepository(body: z.input<typeof requests.BindBody>): Promise<Bound & { readonly fullName: string }>;
  /** `fullName`: OWNER/NAME. */
  syncLabels(fullName: string): Promise<LabelChanges & { readonly fullName: string }>;
  setProject(slug: string, body: ProjectBody): Promise<NonNullable<Awaited<ReturnType<typeof setProject>>>>;
  /** `warning`: what this person cannot do on GitHub. */
  addMember(body: MemberBody): Promise<Required<Omit<MemberBody, 'learning'>> & { readonly warning?: string }>;
  /** Without a project: every role of the person. */
  removeMember(login: string, project?: string): Promise<{ login: string; project: string | null }>;
  /** What replaces the prompts of codex-k8s. */
  prompts(query: z.input<typeof prompts.PromptsQuery>): Promise<{ readonly items: readonly PromptVersionView[] }>;
  prompt(stage: string, query: z.input<typeof prompts.PromptQuery>): Promise<PromptTaskView>;
  promptDiff(stage: string, query: z.input<typeof prompts.PromptDiffQuery>): Promise<{ readonly diff: string }>;
  setPrompt(stage: string, body: z.input<typeof prompts.PromptBody>): Promise<PromptVersionView>;
  rollBackPrompt(stage: string, body: z.input<typeof prompts.PromptRollbackBody>): Promise<PromptVersionView>;
  /** What runs ask of people: the open requests, or all. */
  decisions(query?: z.input<typeof decisions.DecisionsQuery>): Promise<{ readonly items: readonly DecisionView[] }>;
  decision(id: string): Promise<DecisionView>;
  /** `verb`: what is done with the request. */
  decide(
    id: string,
    verb: 'approve' | 'deny' | 'answer',
    body: z.input<typeof decisions.DecisionBody>,
  ): Promise<{ readonly id: string; readonly request: Request }>;
  policy(): Promise<ApprovalPolicy>;
  explainPolicy(
    query: z.input<typeof decisions.ExplainQuery>,
  ): Promise<{ readonly subject: PolicySubject; readonly decision: PolicyDecision }>;
  /** What the agent of a run was told. */
  runPrompt(id: string): Promise<RunPrompt>;
}

export type DecisionView = decisions.DecisionView;

/** The server said no. */
export class ApiRefusal extends CommandProblem {
  readonly status: number;
  readonly code: string;
  constructor(status: number, { code, message }: Pick<ErrorEnvelope, 'code' | 'message'>) {
    super(message, status === 400 ? 2 : 1);
    this.status = status;
    this.code = code;
  }
}

/** The server cannot be reached; it may be starting again. */
export class ApiAway extends CommandProblem {}

const ANSWER_WITHIN_MS = 20_000;

/** Sixty labels, one after the other as GitHub asks for, take longer than other requests. */
const LABELS_WITHIN_MS = 120_000;

export function createApiClient({ url, staffToken }: ApiAddress): ApiClient {
  async function call<Answer>(path: string, init: RequestInit, withinMs = ANSWER_WITHIN_MS): Promise<Answer> {
    const response = await fetch(`${url}/api/v1${path}`, {
      ...init,
      headers: { authorization: `Bearer ${staffToken}`, 'content-type': 'application/json' },
      signal: AbortSignal.timeout(withinMs),
    }).catch((error: unknown) => {
      throw away(url, error, withinMs);
    });
    const text = await response.text().catch((error: unknown) => {
      throw away(url, error, withinMs);
    });
    if (response.ok) return JSON.parse(text) as Answer;
    throw refusal(url, response.status, text);
  }

  const get = async <Answer>(path: string, query: object = {}): Promise<Answer> =>
    call<Answer>(path + searchOf(query), {});
  const post = async <Answer>(path: string, body: object, withinMs?: number): Promise<Answer> =>
    call<Answer>(path, { method: 'POST', body: JSON.stringify(body) }, withinMs);

  return {
    runs: async (query) => get('/runs', query),
    run: async (id) => get(`/runs/${id}`),
    costs: async (query) => get('/costs', query),
    runEvents: async (id, query) => get(`/runs/${id}/events`, query),
    runLog: async (id, query) => get(`/runs/${id}/log`, query),
    cancelRun: async (id, body) => post(`/runs/${id}/cancel`, body),
    decisions: async (query) => get('/decisions', query),
    decision: async (id) => get(`/decisions/${encodeURIComponent(id)}`),
    decide: async (id, verb, body) => post(`/decisions/${encodeURIComponent(id)}/${verb}`, body),
    policy: async () => get('/policy'),
    explainPolicy: async (query) => get('/policy/explain', query),
    answerRun: async (id, body) => post(`/runs/${id}/answer`, body),
    pauseRun: async (id, body) => post(`/runs/${id}/pause`, body),
    resumeRun: async (id, body) => post(`/runs/${id}/resume`, body),
    issues: async (query) => get('/issues', query),
    issue: async (issue) => get(`/issues/${pathOf(issue)}`),
    bindRepository: async (body) => post('/repositories', body, LABELS_WITHIN_MS),
    syncLabels: async (fullName) => post(`/repositories/${fullName}/labels`, {}, LABELS_WITHIN_MS),
    setProject: async (slug, body) => post(`/projects/${encodeURIComponent(slug)}`, body),
    addMember: async (body) => post('/members', body),
    removeMember: async (login, project) =>
      call(`/members/${encodeURIComponent(login)}${searchOf({ project })}`, { method: 'DELETE' }),
    prompts: async (query) => get('/prompts', query),
    prompt: async (stage, query) => get(`/prompts/${stage}`, query),
    promptDiff: async (stage, query) => get(`/prompts/${stage}/diff`, query),
    setPrompt: async (stage, body) => post(`/prompts/${stage}`, body),
    rollBackPrompt: async (stage, body) => post(`/prompts/${stage}/rollback`, body),
    runPrompt: async (id) => get(`/runs/${id}/prompt`),
  };
}

/** What of a query is named, as the end of a URL. */
function searchOf(query: object): string {
  const named = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] as [string, string]],
  );
  return named.length === 0 ? '' : `?${new URLSearchParams(named).toString()}`;
}

function pathOf(issue: IssueName): string {
  return 'key' in issue ? encodeURIComponent(issue.key) : `${issue.owner}/${issue.name}/${issue.number}`;
}

function away(url: string, error: unknown, withinMs: number): ApiAway {
  const { cause, name } = error as { cause?: { code?: unknown }; name?: unknown };
  if (cause?.code === 'ECONNREFUSED')
    return new ApiAway(`codex-k8s is not running at ${url}; start it with \`codex-k8s up\``);
  if (name === 'TimeoutError') return new ApiAway(`${url} did not answer within ${withinMs / 1000} seconds`);
  return new ApiAway(`${url} cannot be reached${typeof cause?.code === 'string' ? ` (${cause.code})` : ''}`);
}

function refusal(url: string, status: number, text: string): CommandProblem {
  const envelope = parseEnvelope(text);
  if (!envelope) return new ApiRefusal(status, { code: 'internal', message: `${url} answered with ${status}` });
  if (status !== 401) return new ApiRefusal(status, envelope);
  return new ApiRefusal(status, { ...envelope, message: `The staff token is not the one of ${url}` });
}

function parseEnvelope(text: string): Pick<ErrorEnvelope, 'code' | 'message'> | undefined {
  try {
    const value = JSON.parse(text) as Partial<ErrorEnvelope> | null;
    return value && typeof value.message === 'string' && value.code !== undefined
      ? { code: value.code, message: value.message }
      : undefined;
  } catch {
    return undefined;
  }
}
