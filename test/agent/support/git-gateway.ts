/** A git server for tests: the real `git http-backend` behind basic authentication with the run token as password. */
import { spawn } from 'node:child_process';

/** Answers one request of git's smart HTTP protocol; `path` is what follows the server's root, such as /demo.git/info/refs. */
export async function serveGit(root: string, path: string, request: Request): Promise<Response> {
  const url = new URL(request.url);
  const backend = spawn('git', ['http-backend'], {
    env: {
      PATH: process.env['PATH'],
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_PROTOCOL: request.headers.get('git-protocol') ?? '',
      HTTP_CONTENT_ENCODING: request.headers.get('content-encoding') ?? '',
      PATH_INFO: path,
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: request.headers.get('content-type') ?? '',
      REMOTE_USER: 'runner',
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const output: Buffer[] = [];
  backend.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  backend.stdin.on('error', () => undefined);
  backend.stdin.end(Buffer.from(await request.arrayBuffer()));
  await new Promise((resolve) => backend.once('close', resolve));
  return readCgi(Buffer.concat(output));
}

/** The password of basic authentication, or undefined. */
export function passwordOf(request: Request): string | undefined {
  const encoded = /^Basic (.+)$/.exec(request.headers.get('authorization') ?? '')?.[1];
  return encoded && Buffer.from(encoded, 'base64').toString('utf8').split(':').slice(1).join(':');
}

function readCgi(output: Buffer): Response {
  const end = output.indexOf('\r\n\r\n');
  const headers = new Headers();
  let status = 200;
  for (const line of output.subarray(0, end).toString('latin1').split('\r\n')) {
    const [name = '', value = ''] = line.split(/:\s*/, 2);
    if (name.toLowerCase() === 'status') status = Number.parseInt(value, 10);
    else headers.append(name, value);
  }
  return new Response(new Uint8Array(output.subarray(end + 4)), { status, headers });
}
