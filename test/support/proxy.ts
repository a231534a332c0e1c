/** What stands between a client and a server that fails: lets through, falls silent, or is gone. */
import { connect as dial, createServer, type AddressInfo, type Socket } from 'node:net';

export interface Proxy {
  /** The url with this proxy in the server's place. */
  readonly url: string;
  /** Lets everything through again, for new connections. */
  open(): void;
  /** Keeps all connections, takes new ones, and passes nothing on: a black hole. */
  silence(): void;
  /** Cuts all connections and every new one. */
  cut(): void;
  close(): Promise<void>;
}

/** Starts a proxy in front of the server of a url. */
export async function startProxy(target: string): Promise<Proxy> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let state: 'open' | 'silent' | 'cut' = 'open';

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
    client.pipe(upstream).pipe(client);
  });
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
      if (state !== 'open') destroyAll();
      state = 'open';
    },
    silence() {
      state = 'silent';
      for (const socket of sockets) socket.unpipe().pause();
    },
    cut() {
      state = 'cut';
      destroyAll();
    },
    async close() {
      destroyAll();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}
