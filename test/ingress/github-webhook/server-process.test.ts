/** The webhook of a server as it is run: a process of its own, over sockets. */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sign } from '../../../ingress/github-webhook/signature.ts';
import { freePort } from '../../support/free-port.ts';
import { eventually } from '../../support/stack.ts';
import { startTestDatabase, type TestDatabase } from '../../support/postgres.ts';

const CLI = fileURLToPath(new URL('../../../src/cli/cli.ts', import.meta.url));
const SECRET = 'the secret of the tests';
const STAFF_TOKEN = randomBytes(20).toString('hex');
const MEBIBYTE = 1024 * 1024;

const directory = mkdtempSync(join(tmpdir(), 'codex-k8s-server-'));
let database: TestDatabase;
let server: ChildProcess;
let port: number;

function file(name: string, content: string): string {
  const path = join(directory, name);
  writeFileSync(path, content, { mode: 0o600 });
  return path;
}

/** Temporal and GitHub are not there: no answer of the webhook needs them. */
function startServer(at: number, secrets: string, more: Record<string, string> = {}): ChildProcess {
  const { PATH = '' } = process.env;
  return spawn(process.execPath, [CLI, 'server'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      PATH,
      DATABASE_URL: database.url,
      CODEXK8S_PORT: `${at}`,
      CODEXK8S_TEMPORAL_ADDRESS: '127.0.0.1:1',
      CODEXK8S_GITHUB_URL: 'http://127.0.0.1:1',
      CODEXK8S_GITHUB_API_URL: 'http://127.0.0.1:1',
      CODEXK8S_PUBLIC_URL: `http://127.0.0.1:${at}`,
      CODEXK8S_INTERNAL_URL: `http://127.0.0.1:${at}`,
      CODEXK8S_GITHUB_TOKEN_FILE: file('github', randomBytes(20).toString('hex')),
      CODEXK8S_RUN_TOKEN_KEY_FILE: file('key', randomBytes(32).toString('hex')),
      CODEXK8S_STAFF_TOKEN_FILE: file('staff', STAFF_TOKEN),
      CODEXK8S_MODEL_KEY_FILE: file('model', 'no key'),
      CODEXK8S_WEBHOOK_SECRETS_FILE: file(`webhook-${at}`, secrets),
      ...more,
    },
  });
}

async function listens(at: number): Promise<boolean> {
  const socket = connect(at, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

beforeAll(async () => {
  database = await startTestDatabase();
  port = await freePort();
  server = startServer(port, SECRET);
  await eventually('the server listens', () => listens(port));
});

afterAll(async () => {
  if (server?.exitCode === null && server.signalCode === null) {
    server.kill('SIGKILL');
    await once(server, 'exit');
  }
  await database?.stop();
  rmSync(directory, { recursive: true, force: true });
});

const BODY = JSON.stringify({ zen: 'Keep it logically awesome.', hook_id: 1 });

/** Sends a request as its very bytes; gives what comes back, less the date, until the other side has said all. */
async function raw(headers: readonly string[], body = BODY): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  const lines = [
    'POST /api/v1/webhooks/github HTTP/1.1',
    `Host: 127.0.0.1:${port}`,
    'Connection: close',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'X-GitHub-Event: ping',
    `X-GitHub-Delivery: ${randomUUID()}`,
    ...headers,
  ];
  socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`);
  let answer = '';
  for await (const chunk of socket) answer += String(chunk);
  return answer.replace(/^date: .*\r\n/im, '');
}

describe('/metrics and /readyz', () => {
  async function statusOf(at: number, path: string, headers: Record<string, string> = {}): Promise<number> {
    const response = await fetch(`http://127.0.0.1:${at}${path}`, { headers });
    await response.body?.cancel();
    return response.status;
  }

  test.each(['/metrics', '/readyz'])('%s is for staff where it has no port of its own', async (path) => {
    expect(await statusOf(port, path)).toBe(401);
    expect(await statusOf(port, path, { authorization: `Bearer ${STAFF_TOKEN}` })).toBe(200);
  });

  test('are on their own port alone where they have one', async () => {
    const [own, at] = [await freePort(), await freePort()];
    const other = startServer(at, SECRET, { CODEXK8S_METRICS_HOST: '127.0.0.1', CODEXK8S_METRICS_PORT: `${own}` });
    try {
      await eventually('the server listens', async () => (await listens(at)) && (await listens(own)));
      const staff = { authorization: `Bearer ${STAFF_TOKEN}` };
      expect(await Promise.all(['/healthz', '/readyz', '/metrics'].map((path) => statusOf(own, path)))).toEqual([
        200, 200, 200,
      ]);
      expect(await Promise.all(['/healthz', '/readyz', '/metrics'].map((path) => statusOf(at, path, staff)))).toEqual([
        200, 404, 404,
      ]);
      expect(await statusOf(own, '/api/v1/runs', staff)).toBe(404);
    } finally {
      other.kill('SIGKILL');
      await once(other, 'exit');
    }
  });
});

describe('T01: the process', () => {
  test.each([
    ['an empty secret', ''],
    ['a secret of blanks', '   \n\n  '],
    ['a short secret', 'fifteen letters'],
    ['a short secret beside a good one', `${SECRET}\nshort`],
  ])('T01: with %s ends with an error, and never opens its port', async (_what, secrets) => {
    const at = await freePort();
    const started = startServer(at, secrets);
    let said = '';
    started.stderr?.on('data', (data: Buffer) => (said += String(data)));
    let opened = false;
    const watch = setInterval(() => {
      void listens(at).then((open) => {
        opened ||= open;
      });
    }, 20);
    const [code] = (await once(started, 'close')) as [number | null];
    clearInterval(watch);
    expect(code).toBeGreaterThan(0);
    expect(opened).toBe(false);
    expect(said).toMatch(/secret/i);
    expect(said).not.toContain(SECRET);
  });
});

describe('T01: a signature that is not good', () => {
  const good = sign(SECRET, Buffer.from(BODY));

  test('T01: is answered with the very same bytes, whatever is wrong with it', async () => {
    const answers = await Promise.all(
      [
        [],
        ['X-Hub-Signature-256: '],
        [`X-Hub-Signature: sha1=${'0'.repeat(40)}`],
        [`X-Hub-Signature-256: ${sign('another secret', Buffer.from(BODY))}`],
        [`X-Hub-Signature-256: ${good.slice(0, -1)}`],
        [`X-Hub-Signature-256: ${good}0`],
        [`X-Hub-Signature-256: sha256=${good.slice(7).toUpperCase()}`],
        [`X-Hub-Signature-256: ${good} x`],
        [`X-Hub-Signature-256: ${good}`, `X-Hub-Signature-256: ${good}`],
      ].map((headers) => raw(headers)),
    );
    expect(answers[0]).toMatch(/^HTTP\/1.1 401 /);
    for (const answer of answers) expect(answer).toBe(answers[0]);
  });

  test('T01: is refused before the body is read as JSON', async () => {
    expect(await raw([`X-Hub-Signature-256: ${good}`], 'no JSON')).toMatch(/^HTTP\/1.1 401 /);
  });

  test('T01: and a good one is taken', async () => {
    expect(await raw([`X-Hub-Signature-256: ${good}`])).toMatch(/^HTTP\/1.1 20[02] /);
  });
});

/** Bytes that the process has had in memory at most, since it was last forgotten. */
function peak(): number {
  const status = readFileSync(`/proc/${server.pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}

/** From here on, counts the peak anew (proc_pid_clear_refs(5)). */
function forgetPeak(): void {
  writeFileSync(`/proc/${server.pid}/clear_refs`, '5');
}

/** Writes as much of 64 MiB as the server takes; gives the status of its answer. */
async function pour(headers: readonly string[], chunked: boolean): Promise<number> {
  const socket: Socket = connect(port, '127.0.0.1');
  let answer = '';
  socket.on('data', (data) => (answer += String(data)));
  socket.on('error', () => undefined);
  const goesOn = (): Promise<void> =>
    new Promise((resolve) => {
      socket.once('drain', resolve).once('close', resolve);
    });
  const start = [
    'POST /api/v1/webhooks/github HTTP/1.1',
    'Host: localhost',
    'Content-Type: application/json',
    ...headers,
  ];
  socket.write(`${start.join('\r\n')}\r\n\r\n`);
  const drop = Buffer.alloc(65_536, 'x');
  const chunk = chunked ? Buffer.concat([Buffer.from('10000\r\n'), drop, Buffer.from('\r\n')]) : drop;
  for (let written = 0; written < 64 * MEBIBYTE && !socket.destroyed && answer === ''; written += drop.length) {
    if (!socket.write(chunk) && !socket.destroyed) await goesOn();
  }
  await eventually('an answer, or the end of the connection', () => answer !== '' || socket.destroyed);
  socket.destroy();
  return Number(/^HTTP\/1.1 (\d+)/.exec(answer)?.[1] ?? 0);
}

describe('T03: bodies that are too large, many at once', () => {
  const CONNECTIONS = 100;

  test.each([
    ['of 30 MiB that are announced', ['Content-Length: 31457280'], false, 413],
    ['of 64 MiB that are not', ['Transfer-Encoding: chunked'], true, 413],
    ['that are compressed', ['Transfer-Encoding: chunked', 'Content-Encoding: gzip'], true, 415],
  ])(
    'T03: %s are refused, and take no more memory than twice the limit each',
    async (_what, headers, chunked, status) => {
      await pour(headers, chunked);
      forgetPeak();
      const before = peak();
      const statuses = await Promise.all(Array.from({ length: CONNECTIONS }, () => pour(headers, chunked)));
      // One whose answer was cut off with its connection is refused as well.
      expect(statuses.filter((one) => one !== status && one !== 0)).toEqual([]);
      expect(statuses).toContain(status);
      expect(peak() - before).toBeLessThan(2 * MEBIBYTE * CONNECTIONS);
    },
  );

  test('T03: leave a server that goes on', async () => {
    expect(await raw([`X-Hub-Signature-256: ${sign(SECRET, Buffer.from(BODY))}`])).toMatch(/^HTTP\/1.1 20[02] /);
  });
});

describe('T07: a request that proxies and servers may understand differently', () => {
  /** Sends a request as its very bytes; the status of its answer, 0 for none. */
  async function statusOf(request: string): Promise<number> {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(request);
    let answer = '';
    socket.on('data', (data) => (answer += String(data)));
    await new Promise((resolve) => {
      socket.once('close', resolve).once('end', resolve);
      socket.once('data', resolve);
    });
    socket.destroy();
    return Number(/^HTTP\/1.1 (\d+)/.exec(answer)?.[1] ?? 0);
  }
  const post = (...headers: string[]): string =>
    ['POST /api/v1/webhooks/github HTTP/1.1', 'Content-Type: application/json', ...headers, '', ''].join('\r\n');

  test.each<[string, string]>([
    ['no host', post('Content-Length: 2') + '{}'],
    ['an empty host', post('Host: ', 'Content-Length: 2') + '{}'],
    ['a host that is none', post('Host: a/b@c', 'Content-Length: 2') + '{}'],
    ['two hosts', post('Host: a', 'Host: b', 'Content-Length: 2') + '{}'],
    ['a length and chunks', post('Host: x', 'Content-Length: 4', 'Transfer-Encoding: chunked') + '0\r\n\r\n'],
    ['two lengths', post('Host: x', 'Content-Length: 2', 'Content-Length: 3') + '{}'],
    ['a header of 20 KB', post('Host: x', `X-Long: ${'x'.repeat(20_000)}`, 'Content-Length: 2') + '{}'],
    ['a line that is no header', post('Host: x', 'no header', 'Content-Length: 2') + '{}'],
  ])('T07: with %s is answered with 4xx', async (_what, request) => {
    const status = await statusOf(request);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
  });

  test('T07: leaves a server that goes on', async () => {
    expect(server.exitCode).toBeNull();
    expect(await raw([`X-Hub-Signature-256: ${sign(SECRET, Buffer.from(BODY))}`])).toMatch(/^HTTP\/1.1 20[02] /);
  });
});

describe('T06: a header that names another host', () => {
  test('T06: is called by nobody', async () => {
    let calls = 0;
    const evil = createServer((socket) => {
      calls += 1;
      socket.destroy();
    }).listen(0, '127.0.0.1');
    await once(evil, 'listening');
    const host = `127.0.0.1:${(evil.address() as AddressInfo).port}`;
    const answer = await raw([
      `X-Hub-Signature-256: ${sign(SECRET, Buffer.from(BODY))}`,
      `X-GitHub-Enterprise-Host: ${host}`,
      `X-GitHub-Enterprise-Version: 3.20`,
      `X-Forwarded-Host: ${host}`,
      `Forwarded: host=${host}`,
      `Origin: http://${host}`,
    ]);
    expect(answer).toMatch(/^HTTP\/1.1 202 /);
    // Whatever followed from the delivery has had its time.
    expect(await raw([`X-Hub-Signature-256: ${sign(SECRET, Buffer.from(BODY))}`])).toMatch(/^HTTP\/1.1 20[02] /);
    expect(calls).toBe(0);
    evil.close();
  });
});
