/** What stands between a client and a server that fails: lets through, is slow, falls silent, loses answers, or is gone. */
import { connect as dial, createServer, type AddressInfo, type Socket } from 'node:net';

export interface Proxy {
  /** The url with this proxy in the server's place. */
  readonly url: string;
  /** Lets everything through again, for new connections. */
  open(): void;
  /** Keeps all connections, takes new ones, and passes nothing on: a black hole. */
  silence(): void;
  /** Lets new connections through; those that are there stay black holes, as behind a router that has forgotten them. */
  forget(): void;
  /** Cuts all connections and every new one. */
  cut(): void;
  /** Holds back every piece, in both directions, for so many milliseconds. */
  slow(milliseconds: number): void;
  /** Passes on what holds `text`, and then loses the answer: with a reset of the connection, or in silence. */
  loseAnswerTo(text: string, how: 'reset' | 'silence'): void;
  /** How many answers were lost. */
  lost(): number;
  close(): Promise<void>;
}

/** Starts a proxy in front of the server of a url. */
export async function startProxy(target: string): Promise<Proxy> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let state: 'open' | 'silent' | 'cut' = 'open';
  let delay = 0;
  let losing: { readonly text: string; readonly how: 'reset' | 'silence' } | undefined;
  let lost = 0;

  const server = createServer((client) => {
    sockets.add(client);
    client.on('error', () => client.destroy());
    if (state === 'cut') return client.destroy();
    if (state === 'silent') return client.pause();
    const upstream = dial(Number(port), hostname);
    sockets.add(upstream);
    upstream.on('error', () => client.destroy());
    upstream.on('close', () => client.destroy());
    client.on('close', () => upstream.destroy());

    let losesAnswer: 'reset' | 'silence' | undefined;
    pass(client, upstream, (data) => {
      if (losing && data.includes(losing.text)) losesAnswer = losing.how;
      return true;
    });
    pass(upstream, client, () => {
      if (!losesAnswer) return true;
      lost += 1;
      if (losesAnswer === 'reset') client.resetAndDestroy();
      return false;
    });
  });

  /** Hands on what comes, in its order, unless something is in its way. */
  function pass(from: Socket, to: Socket, mayPass: (data: Buffer) => boolean): void {
    from.on('data', (data: Buffer) => {
      if (!mayPass(data)) return;
      if (delay === 0) to.write(data);
      else setTimeout(() => state === 'open' && to.writable && to.write(data), delay);
    });
    from.on('end', () => to.end());
  }

  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const url = new URL(target);
  url.port = String((server.address() as AddressInfo).port);

  function destroyAll(): void {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  }

  return {
    url: url.toString(),
    open() {
      // Whatever was held back stays lost, as behind a real black hole.
      if (state !== 'open' || losing) destroyAll();
      state = 'open';
      delay = 0;
      losing = undefined;
    },
    silence() {
      state = 'silent';
      for (const socket of sockets) socket.pause();
    },
    forget() {
      for (const socket of sockets) socket.pause();
      state = 'open';
    },
    cut() {
      state = 'cut';
      destroyAll();
    },
    slow(milliseconds) {
      delay = milliseconds;
    },
    loseAnswerTo(text, how) {
      losing = { text, how };
    },
    lost: () => lost,
    async close() {
      destroyAll();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}
