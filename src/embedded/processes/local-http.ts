/** HTTP to a process on this machine, with Node's `http`: `fetch` allocates memory that it does not release. */
import { get } from 'node:http';

const LIMIT_MS = 2000;

/** True for a 2xx response. Rejects without a response in time. */
export function answers(url: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const request = get(url, { timeout: LIMIT_MS, agent: false }, (response) => {
      response.resume();
      const { statusCode = 0 } = response;
      resolve(statusCode >= 200 && statusCode < 300);
    });
    request.once('timeout', () => request.destroy(new Error(`${url} does not answer`)));
    request.once('error', reject);
  });
}
