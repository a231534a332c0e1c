/**
 * Loads one subject and prints what it measured, as one line of JSON. Its own process, so that making and signing
 * deliveries costs no subject anything but the cores that all share.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'node:http';
import autocannon from 'autocannon';
import { deliveryAbout, OTHER_SECRET, PATH, SECRET, type SignedDelivery } from './deliveries.ts';

export interface Load {
  readonly url: string;
  readonly seconds: number;
  /** As many requests at once as there are connections, each sent when the one before it is answered. */
  readonly connections?: number;
  /** Instead: so many a second, at equal distances, however long the answers take. */
  readonly perSecond?: number;
  /** Issues are numbered from here. */
  readonly firstIssue: number;
  /** Deliveries with a signature of another secret. */
  readonly forged?: true;
  /** The status of an answer that counts. */
  readonly expected: number;
}

export interface Measured {
  /** Distinct deliveries that were answered as expected, those cut off at the end included. */
  readonly accepted: number;
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Other answers, and requests without one. */
  readonly failed: number;
}

/** The response to a duplicate delivery. */
const DUPLICATE = 200;

const load = JSON.parse(process.argv[2] ?? '') as Load;
const agent = new Agent({ keepAlive: true });
let issue = load.firstIssue;
const next = (): SignedDelivery => deliveryAbout(issue++, load.forged ? OTHER_SECRET : SECRET);
process.stdout.write(`${JSON.stringify(load.perSecond === undefined ? await flood() : await drip(load.perSecond))}\n`);
agent.destroy();

/** As fast as the answers come. */
async function flood(): Promise<Measured> {
  const unanswered = new Set<SignedDelivery>();
  const latencies: number[] = [];
  let failed = 0;
  const result = await autocannon({
    url: load.url,
    connections: load.connections ?? 1,
    duration: load.seconds,
    sampleInt: 50,
    setupClient(client) {
      let sent: SignedDelivery | undefined;
      client.setRequests([
        {
          method: 'POST',
          path: PATH,
          setupRequest(defaults) {
            sent = next();
            unanswered.add(sent);
            return { ...defaults, headers: sent.headers, body: sent.body };
          },
        },
      ]);
      client.on('response', (status: number, _bytes: number, milliseconds: number) => {
        if (sent) unanswered.delete(sent);
        if (status === load.expected) latencies.push(milliseconds);
        else failed += 1;
      });
    },
  });
  // The end cuts requests off, whose deliveries may be kept all the same: sent again, as GitHub does it, they are told.
  for (const delivery of unanswered) {
    const { status } = await post(delivery);
    if (status !== load.expected && status !== DUPLICATE) failed += 1;
  }
  return {
    accepted: latencies.length + unanswered.size,
    perSecond: latencies.length / result.duration,
    ...percentiles(latencies),
    failed: failed + result.errors + result.timeouts,
  };
}

/**
 * At a constant rate, which autocannon does not keep: it sends each second's share at the second's begin. Time counts
 * from when a request was due, so that a stall is charged for all that it delays.
 */
async function drip(perSecond: number): Promise<Measured> {
  const latencies: number[] = [];
  let failed = 0;
  const answers: Promise<void>[] = [];
  const start = performance.now();
  for (let n = 0; n < load.seconds * perSecond; n += 1) {
    const due = start + (n * 1000) / perSecond;
    const early = due - performance.now();
    if (early > 0) await sleep(early);
    answers.push(
      post(next()).then(({ status, at }) => {
        if (status === load.expected) latencies.push(at - due);
        else failed += 1;
      }),
    );
  }
  await Promise.all(answers);
  const seconds = (performance.now() - start) / 1000;
  return { accepted: latencies.length, perSecond: latencies.length / seconds, ...percentiles(latencies), failed };
}

/** Posts a delivery; returns the status, 0 for none, and when the answer came. */
function post({ body, headers }: SignedDelivery): Promise<{ status: number; at: number }> {
  return new Promise((resolve) => {
    const end = (status: number): void => resolve({ status, at: performance.now() });
    const asked = request(`${load.url}${PATH}`, { method: 'POST', headers, agent }, (answer) => {
      answer.resume().on('end', () => end(answer.statusCode ?? 0));
    });
    asked.on('error', () => end(0)).end(body);
  });
}

function percentiles(latencies: readonly number[]): { p50: number; p99: number } {
  const sorted = Float64Array.from(latencies).toSorted();
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { p50: at(0.5), p99: at(0.99) };
}
