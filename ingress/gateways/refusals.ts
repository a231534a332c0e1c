/**
 * What agents' gateways refuse is in the audit trail, and who sends bad tokens is slowed down (docs/security.md). A request with a
 * good token is never slowed: agents on one machine have one address.
 */
import { createHash } from 'node:crypto';
import type { Context, MiddlewareHandler } from 'hono';
import type { Redact } from '../../src/domain/agent/redaction.ts';
import { clientOf } from '../http/attempts.ts';
import { failure } from '../http/errors.ts';
import { basicPassword, bearer, type RunTokenVerifier } from './run-access.ts';

export type GatewayName = 'agent_api' | 'git' | 'mcp' | 'model';

/** A handler says here why it refused what it answers with status 200, as git's protocol wants it. */
export interface RefusalEnv {
  readonly Variables: { refusal?: string };
}

export interface GatewayRefusal {
  /** The same for the same refusal of the same attempt. */
  readonly id: string;
  readonly runId: string;
  readonly attempt: number;
  readonly gateway: GatewayName;
  readonly status: number;
  readonly reason: string;
}

export interface BadTokens {
  /** The address that sends them. */
  readonly source: string;
  readonly failures: number;
}

export interface RefusalPorts {
  readonly tokens: RunTokenVerifier;
  /** Hides secrets in what the agent chose, such as the name of a branch. */
  readonly redact: Redact;
  readonly onRefused: (refusal: GatewayRefusal) => Promise<void>;
  readonly onBadTokens: (tokens: BadTokens) => Promise<void>;
  readonly onError: (error: unknown) => void;
  /** Milliseconds of a clock that does not go back. */
  readonly now?: () => number;
}

/** Refusals of a request, whatever the gateway. A budget that is spent and a run that waits have events of their own. */
const REFUSALS: ReadonlySet<number> = new Set([400, 401, 403, 404, 405, 413, 415, 422, 429]);
const REASON_CHARACTERS = 300;
/** Different refusals of one run that are recorded by one server, and runs that are remembered. */
const MOST_OF_A_RUN = 50;
const MOST_RUNS = 2000;

/** Bad tokens of a source in a minute; with one more, those that follow are refused unread for five minutes. */
const BAD_TOKENS = 10;
const WINDOW_MS = 60_000;
const BLOCK_MS = 300_000;
const MOST_SOURCES = 10_000;

export function createRefusals(ports: RefusalPorts): (gateway: GatewayName) => MiddlewareHandler<RefusalEnv> {
  const { tokens, redact, onRefused, onBadTokens, onError, now = () => performance.now() } = ports;
  const recorded = new Map<string, Set<string>>();
  const sources = new Map<string, { since: number; failures: number; blockedUntil: number }>();

  /** Whether the refusal is new here, and there is room for it. */
  function isNew(runId: string, id: string): boolean {
    const ofRun = recorded.get(runId) ?? new Set<string>();
    recorded.delete(runId);
    recorded.set(runId, ofRun);
    if (recorded.size > MOST_RUNS) recorded.delete(recorded.keys().next().value ?? '');
    if (ofRun.has(id) || ofRun.size >= MOST_OF_A_RUN) return false;
    ofRun.add(id);
    return true;
  }

  /** Seconds for which a source with a bad token is turned away; undefined: it may try. */
  async function countBadToken(source: string): Promise<number | undefined> {
    const known = sources.get(source);
    const at = now();
    if (known && known.blockedUntil > at) return Math.ceil((known.blockedUntil - at) / 1000);
    const current = known && at - known.since < WINDOW_MS ? known : { since: at, failures: 0, blockedUntil: 0 };
    current.failures += 1;
    sources.delete(source);
    sources.set(source, current);
    if (sources.size > MOST_SOURCES) sources.delete(sources.keys().next().value ?? '');
    if (current.failures <= BAD_TOKENS) return undefined;
    current.blockedUntil = at + BLOCK_MS;
    await onBadTokens({ source, failures: current.failures }).catch(onError);
    return BLOCK_MS / 1000;
  }

  return (gateway) =>
    async function recordRefusals(c, next) {
      const token = tokenOf(c);
      const claims = token === undefined ? undefined : tokens.verify(token);
      if (token !== undefined && !claims) {
        const seconds = await countBadToken(clientOf(c));
        if (seconds !== undefined) {
          c.header('retry-after', String(seconds));
          return failure(c, 429, 'resource_exhausted', 'too many bad tokens came from this address');
        }
      }
      await next();
      const { status } = c.res;
      // Without a conversation to go on with, the agent API answers 404: that is no refusal.
      const refused = REFUSALS.has(status) && !(gateway === 'agent_api' && status === 404);
      const given = c.get('refusal');
      if (!claims || (given === undefined && !refused)) return undefined;
      const reason = redact(given ?? (await messageIn(c.res))).slice(0, REASON_CHARACTERS);
      const what = [claims.runId, claims.attempt, gateway, status, reason].join('\n');
      const id = `refused:${createHash('sha256').update(what).digest('hex').slice(0, 40)}`;
      if (isNew(claims.runId, id)) await onRefused({ id, ...claims, gateway, status, reason }).catch(onError);
      return undefined;
    };
}

function tokenOf(c: Context): string | undefined {
  const header = c.req.header('authorization');
  return bearer(header) ?? basicPassword(header) ?? c.req.header('x-api-key');
}

/** What the envelope of a refusal says. */
async function messageIn(response: Response): Promise<string> {
  const body: unknown = await response
    .clone()
    .json()
    .catch(() => undefined);
  const { message } = (body ?? {}) as { message?: unknown };
  return typeof message === 'string' ? message : `status ${response.status}`;
}
