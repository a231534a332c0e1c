import { expect, test } from 'vitest';
import { ApiAway, ApiRefusal } from '../../../src/api-client/api-client.ts';
import { until } from '../../../src/embedded/demo/until.ts';

test.each([
  ['a server that starts again', new ApiAway('no server answers')],
  ['a database that is unreachable', new ApiRefusal(503, { code: 'unavailable', message: 'try again' })],
])('%s is asked again', async (_what, trouble) => {
  const answers = [trouble, undefined, 'there'];
  const value = await until('it', 10_000, async () => {
    const answer = answers.shift();
    if (answer instanceof Error) throw answer;
    return answer;
  });
  expect(value).toBe('there');
});

test('a refusal that will not pass ends the wait', async () => {
  const refusal = new ApiRefusal(404, { code: 'not_found', message: 'there is no such run' });
  await expect(until('it', 10_000, () => Promise.reject(refusal))).rejects.toBe(refusal);
});

test('what was unavailable to the end is the cause', async () => {
  const away = new ApiAway('no server answers');
  await expect(until('the run', 0, () => Promise.reject(away))).rejects.toMatchObject({ cause: away });
});
