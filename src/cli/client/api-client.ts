/** The staff API over HTTP; what goes wrong is told in plain sentences. */
import type { ErrorEnvelope } from '../../../ingress/http/errors.ts';
import { CommandProblem } from '../../terminal/problems.ts';

export interface ApiAddress {
  /** Without a slash at its end. */
  readonly url: string;
  readonly staffToken: string;
}

export type Query = Readonly<Record<string, string | number | undefined>>;

export interface ApiClient {
  get<Answer>(path: string, query?: Query): Promise<Answer>;
  /** `withinMs`: how long the answer may take, where it is more than usual. */
  post<Answer>(path: string, body: object, withinMs?: number): Promise<Answer>;
}

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

  return {
    get<Answer>(path: string, query: Query = {}): Promise<Answer> {
      const asked = Object.entries(query).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, String(value)] as [string, string]],
      );
      return call<Answer>(asked.length === 0 ? path : `${path}?${new URLSearchParams(asked).toString()}`, {});
    },
    post: (path, body, withinMs) => call(path, { method: 'POST', body: JSON.stringify(body) }, withinMs),
  };
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
