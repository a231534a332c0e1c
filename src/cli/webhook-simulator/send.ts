/** `webhook send`: sends a signed delivery as GitHub does, and explains the response. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { reasonText } from '../../../ingress/api/messages/reasons.ts';
import { deliveryHeaders } from '../../github-deliveries/headers.ts';
import { CommandProblem } from '../../terminal/problems.ts';
import { paint, plain, type Terminal } from '../../terminal/terminal.ts';
import { madeUpDelivery, type DeliverySpec } from '../../github-deliveries/payloads.ts';
import { readPayloadObjects, type GitHubAccess, type Subjects } from './payload-objects.ts';

/** The webhook that deliveries are sent to. */
export interface WebhookAddress {
  /** URL of the webhook itself. */
  readonly url: string;
  readonly secret: string;
  /** The GitHub API that objects of simulated deliveries are read from. */
  readonly gitHub: GitHubAccess | undefined;
  /** The default sender, if there is one. */
  readonly sender: string | undefined;
}

/** A recorded delivery: its event and the file of its body. */
export interface Recorded {
  readonly event: string;
  /** `-` is standard input. */
  readonly file: string;
}

export interface SendOptions {
  readonly id?: string | undefined;
  readonly repeat?: number | undefined;
  readonly json?: boolean | undefined;
}

interface Answer {
  readonly id: string;
  readonly event: string;
  readonly status: number;
  readonly body: unknown;
  readonly meaning: string;
}

/** A recorded delivery, or the options of a simulated one. */
export type Given =
  | { readonly recorded: Recorded }
  | {
      readonly spec: DeliverySpec;
      readonly subjects: Omit<Subjects, 'sender'> & { readonly sender: string | false | undefined };
    };

/** Sends a delivery `repeat` times; returns the exit code: 0 if every one was accepted. */
export async function webhookSend(
  address: WebhookAddress,
  given: Given,
  options: SendOptions,
  terminal: Terminal,
): Promise<number> {
  const { event, title, body, madeUp } =
    'recorded' in given ? recordedDelivery(given.recorded) : await made(address, given);
  const answers: Answer[] = [];
  for (let count = 0; count < (options.repeat ?? 1); count += 1) {
    const answer = await post(address, { id: options.id ?? randomUUID(), event, body });
    answers.push(answer);
    if (options.json !== true) print(terminal, address, title, answer, count === 0 ? madeUp : []);
  }
  if (options.json === true) terminal.out(JSON.stringify({ url: address.url, event, madeUp, answers }, null, 2));
  return answers.every(({ status }) => status === 200 || status === 202) ? 0 : 1;
}

interface Outgoing {
  readonly event: string;
  /** `issues.labeled`. */
  readonly title: string;
  readonly body: Buffer;
  /** Descriptions of the objects that were made up. */
  readonly madeUp: readonly string[];
}

function recordedDelivery({ event, file }: Recorded): Outgoing {
  try {
    return { event, title: event, body: readFileSync(file === '-' ? 0 : file), madeUp: [] };
  } catch (error) {
    throw new CommandProblem(`${file} cannot be read: ${(error as Error).message}`, 2);
  }
}

async function made(
  { gitHub, sender: usual }: WebhookAddress,
  { spec, subjects }: Extract<Given, { spec: DeliverySpec }>,
): Promise<Outgoing> {
  const sender = subjects.sender === false ? undefined : (subjects.sender ?? usual);
  if (sender === undefined && subjects.sender !== false)
    throw new CommandProblem('Give --sender LOGIN, or --no-sender', 2);
  const { objects, madeUp } = await readPayloadObjects({ ...subjects, sender }, gitHub);
  const { event, action, payload } = madeUpDelivery(spec, objects);
  const title = action === undefined ? event : `${event}.${action}`;
  return { event, title, body: Buffer.from(JSON.stringify(payload)), madeUp };
}

const ANSWER_WITHIN_MS = 20_000;

async function post(
  { url, secret }: WebhookAddress,
  { id, event, body }: { readonly id: string; readonly event: string; readonly body: Buffer },
): Promise<Answer> {
  const response = await fetch(url, {
    method: 'POST',
    headers: deliveryHeaders({ id, event, body, secret }),
    body: new Uint8Array(body),
    signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
  }).catch((error: unknown) => {
    const { cause, name } = error as Error & { readonly cause?: { readonly code?: string } };
    throw new CommandProblem(`${url} cannot be reached (${cause?.code ?? name})`);
  });
  const text = await response.text();
  const answered = parsed(text);
  const { status } = response;
  return {
    id,
    event,
    status,
    body: answered,
    meaning: meaningOf(status, answered, response.headers.get('retry-after')),
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Explains a response of the webhook. */
export function meaningOf(status: number, body: unknown, retryAfter: string | null = null): string {
  const said = (typeof body === 'object' && body !== null ? body : {}) as Readonly<Record<string, unknown>>;
  const { reason, run_id: run, message } = said;
  const why = typeof reason === 'string' ? reasonText(reason) : '';
  const asks = typeof run === 'string' ? ` It requests run ${run}.` : '';
  if (status === 202) return `${why}${asks}`;
  if (status === 200 && said['status'] === 'duplicate')
    return `Duplicate: this delivery was stored before and is not processed again. First response: ${why}${asks}`;
  if (status === 200 && said['status'] === 'ignored') return `Ignored. ${why}`;
  const detail = typeof message === 'string' ? `: ${message}` : '';
  if (status === 401) return `Rejected and not stored${detail}. Check that the webhook secret is that of the server.`;
  if (status === 503) return `Not stored${detail}.${retryAfter === null ? '' : ` Retry after ${retryAfter} s.`}`;
  if (status >= 400 && status < 500) return `Rejected and not stored${detail}.`;
  return `Unexpected response, not from the webhook${detail}.`;
}

function print(
  terminal: Terminal,
  { url }: WebhookAddress,
  title: string,
  { id, status, body, meaning }: Answer,
  madeUp: readonly string[],
): void {
  if (madeUp.length > 0)
    terminal.out(paint(terminal, 'dim', `made up, since not found on GitHub: ${madeUp.join(', ')}`));
  terminal.out(`${title} ${id} to ${url}`);
  const bodyText = typeof body === 'string' ? body : JSON.stringify(body);
  terminal.out(`${paint(terminal, status < 300 ? 'green' : 'red', String(status))} ${plain(bodyText)}`);
  terminal.out(plain(meaning));
}
