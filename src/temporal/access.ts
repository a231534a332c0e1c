/** How Temporal is reached: its address, and what proves who is at either end. */

/** What the SDK's connections take, of clients and of workers, and the namespace. */
export interface TemporalAccess {
  /** `host:port` of the frontend. */
  readonly address: string;
  readonly namespace: string;
  /** Absent: without TLS. */
  readonly tls?: {
    /** The name in the server's certificate, where it is not the address's host. */
    readonly serverNameOverride?: string;
    /** PEM; the well-known authorities unless given. */
    readonly serverRootCACertificate?: Buffer;
    /** PEM, for a server that asks for a client's certificate. */
    readonly clientCertPair?: { readonly crt: Buffer; readonly key: Buffer };
  };
  /** Sent with every call, over TLS only. */
  readonly apiKey?: string;
}

/** Options of `Connection` and `NativeConnection`. */
export function connectionOptions({ address, tls, apiKey }: TemporalAccess): Omit<TemporalAccess, 'namespace'> {
  return { address, ...(tls === undefined ? {} : { tls }), ...(apiKey === undefined ? {} : { apiKey }) };
}
