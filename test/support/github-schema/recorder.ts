/** Compares what a GitHub emulator answers and delivers with GitHub's own descriptions, while tests use it. */
import { compareDelivery } from './deliveries.ts';
import { DIFFERENCES, type Difference } from './differences.ts';
import { compareExchange, NOT_JSON, type Exchange, type Finding } from './exchanges.ts';

/** The API. Git and the pages for browsers have other addresses. */
const API = /^\/(repos|user|users|orgs|rate_limit)(\/|$)/;

/** How the platform calls itself in its requests. */
const PLATFORM = /^codex-k8s\b/;

export interface Recorder {
  /** Operations that were carried out, as `issues/get`. */
  readonly operations: ReadonlySet<string>;
  /** Those that the platform itself asked for. */
  readonly ofThePlatform: ReadonlySet<string>;
  /** Events that were delivered, as `issues.labeled`. */
  readonly events: ReadonlySet<string>;
  /** Known differences that were met. */
  readonly met: ReadonlySet<Difference>;
  /** For the emulator's option of this name. */
  observe(request: Request, answer: Response): Promise<void>;
  delivered(event: string, payload: Readonly<Record<string, unknown>>): void;
  /** Fails when there was anything that GitHub does not document and that is no known difference. */
  expectDocumented(): void;
}

/** Compares only when it is asked: the schemas take a while to compile, and tests of time limits are not to notice. */
export function createRecorder(): Recorder {
  const operations = new Set<string>();
  const ofThePlatform = new Set<string>();
  const events = new Set<string>();
  const met = new Set<Difference>();
  const undocumented = new Set<string>();
  const exchanges: (Exchange & { readonly byPlatform: boolean })[] = [];
  const deliveries: { readonly event: string; readonly payload: Readonly<Record<string, unknown>> }[] = [];

  function keep(findings: readonly Finding[]): void {
    for (const finding of findings) {
      const text = textOf(finding);
      const known = DIFFERENCES.filter((difference) => difference.finding.test(text));
      if (known.length === 0) undocumented.add(text);
      for (const difference of known) met.add(difference);
    }
  }

  function compare(): void {
    for (const exchange of exchanges.splice(0)) {
      const { operation, findings } = compareExchange(exchange);
      keep(findings);
      if (exchange.status >= 300) continue;
      operations.add(operation);
      if (exchange.byPlatform) ofThePlatform.add(operation);
    }
    for (const { event, payload } of deliveries.splice(0)) {
      events.add(typeof payload['action'] === 'string' ? `${event}.${payload['action']}` : event);
      keep(compareDelivery(event, payload));
    }
  }

  function compared<Kept>(kept: ReadonlySet<Kept>): ReadonlySet<Kept> {
    compare();
    return kept;
  }

  return {
    get operations() {
      return compared(operations);
    },
    get ofThePlatform() {
      return compared(ofThePlatform);
    },
    get events() {
      return compared(events);
    },
    get met() {
      return compared(met);
    },
    async observe(request, answer) {
      const { pathname, search } = new URL(request.url);
      if (!API.test(pathname)) return;
      exchanges.push({
        method: request.method,
        url: pathname + search,
        body: parsed(await request.text()),
        status: answer.status,
        answer: isJson(answer) ? parsed(await answer.text()) : NOT_JSON,
        byPlatform: PLATFORM.test(request.headers.get('user-agent') ?? ''),
      });
    },
    delivered(event, payload) {
      deliveries.push({ event, payload });
    },
    expectDocumented() {
      compare();
      if (undocumented.size === 0) return;
      const list = [...undocumented].toSorted().map((text) => `  ${text}`);
      throw new Error(
        `GitHub does not document:\n${list.join('\n')}\n` +
          'Mend the emulator or the request; what GitHub does otherwise than it documents goes into test/support/github-schema/differences.ts',
      );
    },
  };
}

/** As `issues/get answer .user.login is missing`. */
function textOf({ operation, part, at, problem }: Finding): string {
  return [operation, part, at, problem].filter((word) => word !== '').join(' ');
}

/** Others are diffs and patches. An answer without a body has no type. */
function isJson(answer: Response): boolean {
  return /json|^$/.test(answer.headers.get('content-type') ?? '');
}

function parsed(text: string): unknown {
  return text === '' ? undefined : JSON.parse(text);
}
