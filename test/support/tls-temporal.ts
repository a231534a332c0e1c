/** A Temporal that speaks TLS, asks clients for a certificate and for an API key: a proxy before the development server. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, constants, createSecureServer, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { read, type Authority, type CertificateFiles } from './certificates.ts';

export interface TlsTemporal {
  /** Its address, host and port. */
  readonly address: string;
  /** The common names in the certificates of clients. */
  readonly clients: Set<string>;
  stop(): Promise<void>;
}

const UNAUTHENTICATED = '16';

/** `upstream` is the address of the Temporal behind it. Without the key a call is answered UNAUTHENTICATED. */
export async function startTlsTemporal(
  upstream: string,
  options: { own: CertificateFiles; authority: Authority; apiKey: string },
): Promise<TlsTemporal> {
  const clients = new Set<string>();
  const server = createSecureServer({
    ...read(options.own),
    ca: readFileSync(options.authority.certificate),
    requestCert: true,
    rejectUnauthorized: true,
    ALPNProtocols: ['h2'],
  });
  const behind = connect(`http://${upstream}`);
  behind.on('error', () => undefined);
  server.on('sessionError', () => undefined);
  server.on('secureConnection', (socket: TLSSocket) => clients.add(String(socket.getPeerCertificate().subject.CN)));
  server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    stream.on('error', () => undefined);
    if (headers.authorization !== `Bearer ${options.apiKey}`) {
      stream.respond(
        { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': UNAUTHENTICATED },
        { endStream: true },
      );
      return;
    }
    const { authorization: _, ...passed } = headers;
    const call = behind.request({ ...passed, [constants.HTTP2_HEADER_AUTHORITY]: upstream });
    call.on('error', () => stream.close());
    stream.on('close', () => call.close());
    call.on('response', ({ ':status': status, ...answered }) => {
      stream.respond({ ':status': status, ...answered }, { waitForTrailers: true });
      let trailers = {};
      call.on('trailers', (received) => (trailers = received));
      stream.on('wantTrailers', () => stream.sendTrailers(trailers));
      call.pipe(stream);
    });
    stream.pipe(call);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    clients,
    async stop() {
      behind.destroy();
      const closed = once(server, 'close');
      server.close();
      await closed;
    },
  };
}
