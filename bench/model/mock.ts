/** A model that answers at once, with a usage of its own for every call, and keeps a bill of it. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Micro-dollars of a token. */
export const PRICE = { input: 2, cachedInput: 0.5, output: 16 };

export interface BilledModel {
  /** Ends in /v1. */
  readonly url: string;
  /** Micro-dollars of all calls, each rounded up; by other code than that of the ledger. */
  bill(): number;
  calls(): number;
  close(): void;
}

/** Starts it on a free port. */
export async function startBilledModel(): Promise<BilledModel> {
  let bill = 0;
  let calls = 0;
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      calls += 1;
      const cached = (calls * 7) % 90;
      const fresh = 10 + (calls % 50);
      const output = 20 + (calls % 200);
      const halves = fresh * 4 + cached + output * 32;
      bill += Math.floor(halves / 2) + (halves % 2);
      const usage = {
        input_tokens: fresh + cached,
        input_tokens_details: { cached_tokens: cached },
        output_tokens: output,
        output_tokens_details: { reasoning_tokens: 5 },
      };
      const events = [
        { type: 'response.created', response: {} },
        { type: 'response.output_text.delta', delta: 'x'.repeat(400) },
        { type: 'response.completed', response: { usage, service_tier: 'default' } },
      ];
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const event of events) response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
      response.end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    bill: () => bill,
    calls: () => calls,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
