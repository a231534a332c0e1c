/** Asks a process of this machine over HTTP, with no more than Node's own client: `fetch` takes memory that it keeps. */
import { get } from 'node:http';

const LIMIT_MS = 2000;

/** Whether `url` is answered with 2xx. Rejects when nobody answers in time. */
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
