/** Error responses of the Kubernetes API (docs/reliability.md T45). */
import { ApiException } from '@kubernetes/client-node';

/** The API answered no. `reason` is Kubernetes' own word (`AlreadyExists`, `Forbidden`, …). */
export class KubernetesRefusal extends Error {
  override readonly name = 'KubernetesRefusal';
  readonly code: number;
  readonly reason: string;
  /** `details.causes[].reason`: `NamespaceTerminating`, for example. */
  readonly causes: readonly string[];
  /** Milliseconds that the API asks to wait, when it does. */
  readonly waitMs: number | undefined;

  constructor(
    what: string,
    answer: { code: number; reason: string; message: string; causes: readonly string[]; waitMs: number | undefined },
  ) {
    super(`Kubernetes refused to ${what}: ${answer.message} (${answer.code} ${answer.reason})`);
    this.code = answer.code;
    this.reason = answer.reason;
    this.causes = answer.causes;
    this.waitMs = answer.waitMs;
  }
}

/** `metav1.Status`, as far as this looks at it. */
interface Status {
  readonly reason?: string;
  readonly message?: string;
  readonly details?: { readonly retryAfterSeconds?: number; readonly causes?: readonly { readonly reason?: string }[] };
}

/** What the client threw, as a refusal; undefined when no answer came at all. */
export function refusalOf(what: string, error: unknown): KubernetesRefusal | undefined {
  if (!(error instanceof ApiException)) return undefined;
  const { reason = '', message, details } = statusIn(error.body);
  const header = Number((error.headers as Record<string, string>)['retry-after']);
  const seconds = Number.isFinite(header) ? header : details?.retryAfterSeconds;
  return new KubernetesRefusal(what, {
    code: error.code,
    reason,
    message: (message ?? String(error.body)).slice(0, 1000),
    causes: details?.causes?.flatMap((cause) => cause.reason ?? []) ?? [],
    waitMs: seconds === undefined ? undefined : seconds * 1000,
  });
}

/** Whether the API refused with this code, and this reason if one is given. */
export function isRefused(error: unknown, code: number, reason?: string): error is KubernetesRefusal {
  return error instanceof KubernetesRefusal && error.code === code && (reason === undefined || error.reason === reason);
}

/** Whether whoever asks lacks the permission; admission refuses with the same code and other words. */
export function isNotPermitted(error: unknown): boolean {
  return isRefused(error, 403) && / cannot \w+ resource /.test(error.message);
}

/** Whether the object lies in a namespace that is being deleted. */
export function isTerminating(error: unknown): boolean {
  return error instanceof KubernetesRefusal && error.causes.includes('NamespaceTerminating');
}

function statusIn(body: unknown): Status {
  if (typeof body !== 'string') return body ?? {};
  try {
    return JSON.parse(body) as Status;
  } catch {
    return { message: body };
  }
}
