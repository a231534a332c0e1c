/** Types of the parts of autocannon that are used here; it has none of its own. */
declare module 'autocannon' {
  import type { EventEmitter } from 'node:events';

  interface AutocannonRequest {
    readonly method: string;
    readonly path: string;
    /** Called before each request; what it returns is sent. */
    readonly setupRequest: (defaults: object) => object;
  }

  /** One connection. It emits `response` with the status, the bytes and the milliseconds that the answer took. */
  interface AutocannonClient extends EventEmitter {
    setRequests(requests: readonly AutocannonRequest[]): void;
  }

  interface AutocannonOptions {
    readonly url: string;
    readonly connections: number;
    /** Seconds. */
    readonly duration: number;
    /** Milliseconds between looks at the clock. */
    readonly sampleInt: number;
    readonly setupClient: (client: AutocannonClient) => void;
  }

  interface AutocannonResult {
    /** Seconds. */
    readonly duration: number;
    readonly errors: number;
    readonly timeouts: number;
  }

  function autocannon(options: AutocannonOptions): Promise<AutocannonResult>;
  export default autocannon;
}
