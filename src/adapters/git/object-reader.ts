/** Reads git objects one by one from one `git cat-file --batch`. */
import { spawn } from 'node:child_process';
import { gitCommand, gitEnvironment, GitFailed, type GitDirectory } from './git-process.ts';

export interface GitObject {
  readonly type: string;
  readonly content: Buffer;
}

export interface ObjectReader {
  /** The object, or undefined if it is nowhere. One call at a time. Throws {@link GitFailed} if git does. */
  read(id: string): Promise<GitObject | undefined>;
  close(): void;
}

/** The largest object that is read: trees and commits are far smaller. */
const LARGEST = 32 * 1024 * 1024;

/** Starts the process. A repository with a promisor remote fetches the objects that it lacks. */
export function openObjects(directory: GitDirectory): ObjectReader {
  const [program, args] = gitCommand(directory, ['cat-file', '--batch']);
  const child = spawn(program, args, {
    cwd: directory.path,
    env: gitEnvironment(directory),
    signal: directory.signal,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString('utf8')).slice(-4000);
  });
  child.stdin.on('error', () => undefined);
  child.once('error', () => undefined); // it is aborted; the reader below sees the end of its output
  const output = child.stdout[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let held: Buffer = Buffer.alloc(0);

  async function more(): Promise<void> {
    const { done, value } = await output.next();
    directory.signal.throwIfAborted();
    if (done) {
      if (child.exitCode === null) await new Promise((resolve) => child.once('close', resolve));
      throw new GitFailed('cat-file', stderr.trim());
    }
    held = held.length === 0 ? value : Buffer.concat([held, value]);
  }

  async function take(length: number): Promise<Buffer> {
    const parts = [held];
    let have = held.length;
    while (have < length) {
      held = Buffer.alloc(0);
      await more();
      parts.push(held);
      have += held.length;
    }
    const all = parts.length === 1 ? held : Buffer.concat(parts);
    held = all.subarray(length);
    return all.subarray(0, length);
  }

  async function takeLine(): Promise<string> {
    for (;;) {
      const end = held.indexOf('\n');
      if (end !== -1) return (await take(end + 1)).toString('latin1').trimEnd();
      await more();
    }
  }

  return {
    async read(id) {
      child.stdin.write(`${id}\n`);
      const [, type = '', size = ''] = (await takeLine()).split(' ');
      if (type === 'missing') return undefined;
      const length = Number(size);
      if (!Number.isSafeInteger(length) || length > LARGEST)
        throw new GitFailed('cat-file', `the ${type} ${id} is larger than ${LARGEST} bytes`);
      const content = (await take(length + 1)).subarray(0, length);
      return { type, content };
    },
    close() {
      child.stdin.end();
      child.kill();
    },
  };
}
