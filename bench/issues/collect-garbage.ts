/** Has a Node process collect its garbage, in its worker threads as well, through its inspector. */
import { once } from 'node:events';
import { eventually } from '../../test/support/stack.ts';

/** Where a Node process listens that was sent SIGUSR1. */
const INSPECTOR = 'http://127.0.0.1:9229/json/list';

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly result?: unknown;
  readonly params?: { readonly sessionId?: string; readonly message?: string };
}

/** Throws when it cannot be reached, or another process has the inspector's port. */
export async function collectGarbage(pid: number): Promise<void> {
  process.kill(pid, 'SIGUSR1');
  const url = await eventually('the inspector', async () => {
    const response = await fetch(INSPECTOR).catch(() => undefined);
    const [target] = ((await response?.json()) ?? []) as { webSocketDebuggerUrl: string }[];
    return target?.webSocketDebuggerUrl;
  });
  const socket = new WebSocket(url);
  await once(socket, 'open');
  try {
    await collectThrough(socket, pid);
  } finally {
    socket.close();
  }
}

async function collectThrough(socket: WebSocket, pid: number): Promise<void> {
  const answers = new Map<number, (result: unknown) => void>();
  const threads = new Set<string>();
  let asked = 0;
  const hear = (text: string): void => {
    const { id, method, result, params } = JSON.parse(text) as Message;
    if (id !== undefined) answers.get(id)?.(result);
    else if (method === 'NodeWorker.attachedToWorker') threads.add(params?.sessionId ?? '');
    else if (method === 'NodeWorker.receivedMessageFromWorker') hear(params?.message ?? '{}');
  };
  socket.addEventListener('message', ({ data }) => hear(String(data)));

  /** Asks the process, or one of its threads. */
  async function ask(method: string, params: object = {}, thread?: string): Promise<unknown> {
    asked += 1;
    const id = asked;
    const message = JSON.stringify({ id, method, params });
    const answer = new Promise((resolve) => answers.set(id, resolve));
    if (thread === undefined) socket.send(message);
    else void ask('NodeWorker.sendMessageToWorker', { sessionId: thread, message });
    return answer;
  }

  const { result } = (await ask('Runtime.evaluate', { expression: 'process.pid' })) as { result: { value: number } };
  if (result.value !== pid) throw new Error(`the inspector's port belongs to process ${result.value}`);
  // Its answer comes after all threads were told of.
  await ask('NodeWorker.enable', { waitForDebuggerOnStart: false });
  for (const thread of [undefined, ...threads]) {
    await ask('HeapProfiler.enable', {}, thread);
    await ask('HeapProfiler.collectGarbage', {}, thread);
    await ask('HeapProfiler.disable', {}, thread);
  }
}
