/** Runs `git http-backend`, the CGI program that speaks git's protocol over HTTP. */
import { spawn, type ChildProcess } from 'node:child_process';
import { Readable } from 'node:stream';
import { gitEnvironment } from './command.ts';

export interface CgiRequest {
  method: string;
  /** Below the directory that holds the repositories, as `/owner/repo.git/info/refs`. */
  path: string;
  query: string;
  headers: Headers;
  body: Readable | null;
  /** Absent when the length is not known before the end of the body. */
  contentLength?: number;
  user: string | undefined;
}

/** Answers one request from the repositories below `root`; the response body is a stream. */
export async function runHttpBackend(root: string, request: CgiRequest): Promise<Response> {
  const child = spawn('git', ['http-backend'], { env: cgiEnvironment(root, request), stdio: ['pipe', 'pipe', 'pipe'] });
  child.stderr.resume();
  child.stdin.on('error', () => undefined);
  if (request.body) request.body.pipe(child.stdin);
  else child.stdin.end();
  const { head, rest } = await readHead(child);
  const headers = new Headers();
  let status = 200;
  for (const line of head.split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon < 0) continue;
    const [name, value] = [line.slice(0, colon), line.slice(colon + 1).trim()];
    if (name.toLowerCase() === 'status') status = Number.parseInt(value, 10);
    else headers.append(name, value);
  }
  child.stdout.unshift(rest);
  return new Response(Readable.toWeb(child.stdout) as ReadableStream<Uint8Array>, { status, headers });
}

function cgiEnvironment(
  root: string,
  { method, path, query, headers, contentLength, user }: CgiRequest,
): Record<string, string> {
  const header = (name: string): string => headers.get(name) ?? '';
  return gitEnvironment({
    GIT_PROJECT_ROOT: root,
    GIT_HTTP_EXPORT_ALL: '1',
    GATEWAY_INTERFACE: 'CGI/1.1',
    REQUEST_METHOD: method,
    PATH_INFO: path,
    QUERY_STRING: query,
    CONTENT_TYPE: header('content-type'),
    HTTP_CONTENT_ENCODING: header('content-encoding'),
    HTTP_GIT_PROTOCOL: header('git-protocol'),
    GIT_PROTOCOL: header('git-protocol'),
    REMOTE_ADDR: '127.0.0.1',
    ...(contentLength !== undefined && { CONTENT_LENGTH: String(contentLength) }),
    ...(user && { REMOTE_USER: user }),
  });
}

/** Reads the headers, up to the empty line after them. */
async function readHead({ stdout }: ChildProcess): Promise<{ head: string; rest: Buffer }> {
  if (!stdout) throw new Error('git http-backend has no output');
  let seen = Buffer.alloc(0);
  for (;;) {
    const end = /\r?\n\r?\n/.exec(seen.toString('latin1'));
    if (end) return { head: seen.toString('latin1', 0, end.index), rest: seen.subarray(end.index + end[0].length) };
    const chunk = await nextChunk(stdout);
    if (!chunk) throw new Error(`git http-backend answered without headers: ${seen.toString('utf8')}`);
    seen = Buffer.concat([seen, chunk]);
  }
}

async function nextChunk(stream: Readable): Promise<Buffer | undefined> {
  for (;;) {
    const chunk = stream.read() as Buffer | null;
    if (chunk) return chunk;
    if (stream.readableEnded) return undefined;
    await new Promise<void>((resolve, reject) => {
      const settle = (error?: Error): void => {
        stream.off('readable', settle).off('end', settle).off('error', settle);
        if (error) reject(error);
        else resolve();
      };
      stream.on('readable', settle).on('end', settle).on('error', settle);
    });
  }
}
