/** How refusals of the domain become answers. */
import { Hono } from 'hono';
import { expect, test } from 'vitest';
import { answerErrors } from '../../../ingress/http/errors.ts';
import { Refusal, type RefusalReason } from '../../../src/domain/refusal.ts';

test.each<[RefusalReason, number]>([
  ['not_found', 404],
  ['failed_precondition', 409],
  ['unavailable', 503],
])('a refusal because of %s is answered with %i, its sentence and its field', async (reason, status) => {
  const logged: unknown[] = [];
  const app = new Hono();
  app.onError(answerErrors({ error: (fields) => logged.push(fields) }));
  app.get('/', () => {
    throw new Refusal(reason, 'olivia/none does not exist', 'fullName');
  });
  const response = await app.request('/');
  expect(response.status).toBe(status);
  expect(await response.json()).toEqual({ code: reason, message: 'olivia/none does not exist', field: 'fullName' });
  expect(logged).toEqual([]);
});
