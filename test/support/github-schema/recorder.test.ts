/** What a recorder makes of answers, requests and deliveries that GitHub would never send. */
import { expect, test } from 'vitest';
import { createRecorder } from './recorder.ts';

const LABELS = 'http://github.test/repos/octo/demo/issues/7/labels';
const LABEL = {
  id: 1,
  node_id: 'TA',
  url: 'http://github.test/repos/octo/demo/labels/bug',
  name: 'bug',
  color: 'ff0000',
  default: false,
  description: null,
};

/** What is undocumented in a request and its answer. */
async function undocumented(
  { url = LABELS, method = 'GET', body = '' }: { url?: string; method?: string; body?: string },
  answer: unknown = [LABEL],
  status = 200,
): Promise<string> {
  const recorder = createRecorder();
  const request = new Request(url, { method, ...(body !== '' && { body }) });
  await recorder.observe(request, Response.json(answer, { status }));
  try {
    recorder.expectDocumented();
    return '';
  } catch (error) {
    return String(error);
  }
}

test('what GitHub documents is no finding', async () => {
  expect(await undocumented({})).toBe('');
  expect(await undocumented({ url: `${LABELS}?per_page=100` })).toBe('');
  expect(await undocumented({ method: 'POST', body: '{"labels":["bug"]}' })).toBe('');
});

test('a field that no schema names', async () => {
  expect(await undocumented({}, [{ ...LABEL, colour: 'red' }])).toContain(
    'issues/list-labels-on-issue answer [].colour is not documented',
  );
});

test('a field that is missing, and one of another type', async () => {
  const { default: _, ...label } = LABEL;
  const found = await undocumented({}, [{ ...label, id: '1' }]);
  expect(found).toContain('issues/list-labels-on-issue answer [].default is missing');
  expect(found).toContain('issues/list-labels-on-issue answer [].id must be integer');
});

test('a status', async () => {
  expect(await undocumented({}, [LABEL], 202)).toContain('issues/list-labels-on-issue answer 202 is not documented');
});

test('a parameter, and a value that it cannot have', async () => {
  expect(await undocumented({ url: `${LABELS}?limit=5` })).toContain(
    'issues/list-labels-on-issue request ?limit is not documented',
  );
  expect(await undocumented({ url: `${LABELS}?page=first` })).toContain(
    'issues/list-labels-on-issue request ?page must be integer',
  );
});

test('a field of a request', async () => {
  const body = '{"labels":["bug"],"force":true}';
  expect(await undocumented({ method: 'POST', body })).toContain('issues/add-labels request .force is not documented');
});

test('an operation', async () => {
  expect(await undocumented({ url: 'http://github.test/repos/octo/demo/wishes' }, [])).toContain(
    'GET /repos/octo/demo/wishes request GitHub has no such operation',
  );
});

test('pages for browsers are no business of the API', async () => {
  expect(await undocumented({ url: 'http://github.test/octo/demo' }, { anything: 'goes' })).toBe('');
});

test('a delivery', () => {
  const recorder = createRecorder();
  recorder.delivered('push', { ref: 'refs/heads/main' });
  recorder.delivered('wish', {});
  expect(() => recorder.expectDocumented()).toThrow(/push delivery \.repository is missing[^]*wish delivery/);
});
