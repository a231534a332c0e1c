/** A port for a server that is started in a moment. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** The system gives it to nobody else for a while: a connection to it was closed from its side just now, and is remembered. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const client = connect(port, '127.0.0.1').resume();
  const [socket] = await accepted;
  const closed = once(client, 'close');
  socket.end();
  await closed;
  server.close();
  return port;
}
