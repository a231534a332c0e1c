import { describe, expect, test } from 'vitest';
import { post, useApi } from './support/api.ts';
import type { Refusal } from '../../../ingress/relay/run-updates.ts';
import { BEARER, createSite, form, type Site } from '../dashboard/support/site.ts';
import { findNewestRequest, storeRequest } from '../../../src/store/runs/requests.ts';
import { keyOf, putAskingRun, putIssue, putPausedRun, putRun, runId } from '../dashboard/support/world.ts';

const QUESTION = { text: 'Which **format**?', options: ['JSON', 'CSV <b>'] };

const api = useApi();

/** A site whose runs' workflows refuse everything like this. */
async function refusing<Result>(refusal: Refusal, act: (on: Site) => Promise<Result>): Promise<Result> {
  const no = async () => ({ done: false, refusal, message: 'because' }) as const;
  const on = createSite(api.connection, { updates: { answer: no, pause: no, resume: no } });
  try {
    return await act(on);
  } finally {
    await on.live.close();
  }
}

describe('a run that waits', () => {
  test('shows who is waited for, what is asked and what to do', async () => {
    await putAskingRun(api.connection.db, 1, QUESTION);
    expect(await api.json(`/runs/${runId(1)}`)).toMatchObject({
      body: {
        status: 'waiting',
        statusText: expect.stringContaining("an answer from the project's members until") as string,
        wait: { kind: 'question', name: 'waiting_mcp', request: `${runId(1)}.1` },
        request: { question: QUESTION.text, options: QUESTION.options, answer: null },
        nextStep: expect.stringContaining('runs answer 0198c0de TEXT') as string,
      },
    });
  });

  test('shows none of it once it goes on', async () => {
    await putAskingRun(api.connection.db, 1, QUESTION);
    await putRun(api.connection.db, 1, { status: 'working', revision: 2 });
    expect(await api.json(`/runs/${runId(1)}`)).toMatchObject({ body: { wait: null, request: null, nextStep: null } });
  });

  test('is found by its status', async () => {
    await putRun(api.connection.db, 2);
    await putPausedRun(api.connection.db, 1);
    expect(await api.json('/runs?status=waiting')).toMatchObject({ body: { items: [{ wait: { name: 'paused' } }] } });
  });
});

describe('an answer', () => {
  test('goes to the workflow of the run', async () => {
    await putAskingRun(api.connection.db, 1, QUESTION);
    expect(await api.json(`/runs/${runId(1)}/answer`, post({ text: ' 2 ', actor: 'olivia' }))).toMatchObject({
      status: 200,
      body: { id: runId(1), request: { answer: { actor: 'olivia', surface: 'api' } } },
    });
    const input = { runId: runId(1), requestId: null, text: '2', actor: 'olivia', surface: 'api' };
    expect(api.site.updated).toEqual([{ kind: 'answer', input }]);
  });

  test.each([
    ['without a text', {}],
    ['with an empty one', { text: '  ' }],
    ['with something unknown', { text: '1', option: 1 }],
  ])('%s is refused', async (_what, body) => {
    await putAskingRun(api.connection.db, 1, QUESTION);
    expect(await api.json(`/runs/${runId(1)}/answer`, post(body))).toMatchObject({ status: 400 });
    expect(api.site.updated).toEqual([]);
  });

  test('to an unknown run is 404', async () => {
    expect(await api.json(`/runs/${runId(9)}/answer`, post({ text: '1' }))).toMatchObject({ status: 404 });
  });

  test('to a run that has ended is 409', async () => {
    await putRun(api.connection.db, 1, { status: 'failed', failure: 'wait_expired' });
    expect(await api.json(`/runs/${runId(1)}/answer`, post({ text: '1' }))).toMatchObject({
      status: 409,
      body: { message: expect.stringMatching(/^already_terminal: .*failed/) as string },
    });
  });

  test.each<[Refusal, number, RegExp]>([
    ['RequestNotOpen', 409, /^request_not_open: because; it is working$/],
    ['AnswerInvalid', 422, /^answer_invalid: because$/],
    ['gone', 409, /^already_terminal/],
    ['late', 503, /look at the run/],
  ])('that the workflow refuses with %s is %i', async (refusal, status, message) => {
    await putRun(api.connection.db, 1);
    const answer = await refusing(refusal, (on) => api.json(`/runs/${runId(1)}/answer`, post({ text: '1' }), on));
    expect(answer).toMatchObject({ status, body: { message: expect.stringMatching(message) as string } });
  });

  test('may name the request that it is for', async () => {
    await putAskingRun(api.connection.db, 1, QUESTION);
    const requestId = `${runId(1)}.1`;
    expect(await api.json(`/runs/${runId(1)}/answer`, post({ text: '2', requestId }))).toMatchObject({ status: 200 });
    expect(api.site.updated).toMatchObject([{ kind: 'answer', input: { requestId } }]);
  });

  test.each(['', 'another', `${runId(1)}.0`, `${runId(1)}.x`])('to a request “%s” is no answer', async (requestId) => {
    await putAskingRun(api.connection.db, 1, QUESTION);
    expect(await api.json(`/runs/${runId(1)}/answer`, post({ text: '2', requestId }))).toMatchObject({ status: 400 });
    expect(api.site.updated).toEqual([]);
  });

  describe('to a request that is not open any more is 409', () => {
    const answer = async (n: number) =>
      refusing('RequestNotOpen', (on) =>
        api.json(`/runs/${runId(1)}/answer`, post({ text: '2', requestId: `${runId(1)}.${n}` }), on),
      );
    const refusal = (message: RegExp) => ({
      status: 409,
      body: { field: 'requestId', message: expect.stringMatching(message) as string },
    });

    test('and shows what the run asks now', async () => {
      await putAskingRun(api.connection.db, 1, QUESTION);
      expect(await answer(7)).toMatchObject(
        refusal(
          /^request_not_open: .*\.7 is not open any more; .* “Which \*\*format\*\*\?” \(1\. JSON, 2\. CSV <b>\), .*\.1/,
        ),
      );
    });

    test('and shows who was quicker', async () => {
      await putAskingRun(api.connection.db, 1, QUESTION);
      const newest = await findNewestRequest(api.connection.db, runId(1));
      if (!newest) throw new Error('nothing is asked');
      const given = {
        text: 'JSON',
        option: 0,
        actor: 'nadia',
        at: '2026-11-30T12:00:00.000Z',
        surface: 'comment',
      } as const;
      await storeRequest(api.connection.db, keyOf(1), { ...newest.request, answer: given }, false);
      expect(await answer(1)).toMatchObject(refusal(/; nadia has answered it: “JSON”$/));
    });

    test('and says how the run stands where it asks nothing', async () => {
      await putPausedRun(api.connection.db, 1);
      expect(await answer(1)).toMatchObject(refusal(/; it is paused: `runs resume` lets it go on$/));
    });
  });

  test('needs the staff token', async () => {
    await putAskingRun(api.connection.db, 1, QUESTION);
    expect(await api.json(`/runs/${runId(1)}/answer`, post({ text: '1' }, {}))).toMatchObject({ status: 401 });
    expect(api.site.updated).toEqual([]);
  });
});

describe('pausing and resuming', () => {
  test('go to the workflow of the run', async () => {
    await putRun(api.connection.db, 1);
    await api.json(`/runs/${runId(1)}/pause`, post({ reason: 'the release', actor: 'olivia' }));
    await api.json(`/runs/${runId(1)}/resume`, post({ note: 'Use the new API.' }));
    expect(api.site.updated).toEqual([
      { kind: 'pause', input: { runId: runId(1), actor: 'olivia', reason: 'the release' } },
      { kind: 'resume', input: { runId: runId(1), actor: 'staff', note: 'Use the new API.' } },
    ]);
  });

  test.each<[string, Refusal, RegExp]>([
    ['pause', 'RunNotPausable', /^run_not_pausable: because$/],
    ['resume', 'RunNotPaused', /^run_not_paused: because; it waits for an answer/],
  ])('%s says what stands in the way', async (verb, refusal, message) => {
    await putAskingRun(api.connection.db, 1, QUESTION);
    const answer = await refusing(refusal, (on) => api.json(`/runs/${runId(1)}/${verb}`, post({}), on));
    expect(answer).toMatchObject({ status: 409, body: { message: expect.stringMatching(message) as string } });
  });

  test('of a run while Temporal is away is 503, and the log has why', async () => {
    await putRun(api.connection.db, 1);
    const away = createSite(api.connection, {
      updates: { pause: async () => Promise.reject(new Error('secret address')) },
    });
    const answer = await api.json(`/runs/${runId(1)}/pause`, post({}), away);
    await away.live.close();
    expect(answer).toMatchObject({ status: 503, body: { message: expect.not.stringContaining('secret') as string } });
    expect(away.logged).toHaveLength(1);
  });
});

describe('the page of a run', () => {
  const page = async (headers: Record<string, string> = {}): Promise<string> =>
    (await api.site.ask(`/runs/${runId(1)}`, { headers })).text();

  test('has the question, and a button for each option', async () => {
    await putIssue(api.connection.db, 1);
    await putAskingRun(api.connection.db, 1, QUESTION);
    const html = await page(BEARER);
    expect(html).toContain('Which **format**?');
    expect(html).toContain('value="2">2. CSV &lt;b&gt;</button>');
  });

  test('has a form for the very question that it shows', async () => {
    await putAskingRun(api.connection.db, 1, QUESTION);
    const html = await page(BEARER);
    expect(html).toContain(`<input type="hidden" name="requestId" value="${runId(1)}.1" />`);
    await api.site.ask(`/runs/${runId(1)}/answer`, form({ text: '2', requestId: `${runId(1)}.1` }, BEARER));
    expect(api.site.updated).toMatchObject([{ input: { requestId: `${runId(1)}.1`, surface: 'dashboard' } }]);
  });

  test('that is old answers nothing: it shows what is asked now, and leads to the run', async () => {
    await putAskingRun(api.connection.db, 1, QUESTION);
    const answer = await refusing('RequestNotOpen', async (on) =>
      on.ask(`/runs/${runId(1)}/answer`, form({ text: '2', requestId: `${runId(1)}.7` }, BEARER)),
    );
    const html = await answer.text();
    expect([answer.status, html.includes('2. CSV &lt;b&gt;')]).toEqual([409, true]);
    expect(html).toContain(`<a class="button" href="/runs/${runId(1)}">`);
  });

  test('has a text field where there are no options', async () => {
    await putAskingRun(api.connection.db, 1, { text: 'What is it called?', options: [] });
    expect(await page(BEARER)).toContain('<textarea name="text"');
  });

  test('tells a guest how to answer, and has no form', async () => {
    await putIssue(api.connection.db, 1);
    await putAskingRun(api.connection.db, 1, QUESTION);
    const html = await page();
    expect(html).toContain(`runs answer ${runId(1)} TEXT`);
    expect(html).not.toContain('<form class="inline"');
  });

  test('lets a paused run go on', async () => {
    await putPausedRun(api.connection.db, 1);
    expect(await page(BEARER)).toContain(`action="/runs/${runId(1)}/resume"`);
  });

  test('offers a pause while an agent works, and not while it waits', async () => {
    await putRun(api.connection.db, 1);
    const link = `href="/runs/${runId(1)}/pause"`;
    expect(await page(BEARER)).toContain(link);
    await putPausedRun(api.connection.db, 1);
    await putRun(api.connection.db, 1, { status: 'waiting', revision: 2 });
    expect(await page(BEARER)).not.toContain(link);
  });

  test.each<[string, Record<string, string>, object]>([
    ['answer', { text: '2' }, { requestId: null, text: '2', actor: 'staff', surface: 'dashboard' }],
    ['pause', { reason: 'lunch', actor: 'olivia' }, { actor: 'olivia', reason: 'lunch' }],
    ['resume', { note: '' }, { actor: 'staff' }],
  ])('takes the form of %s, and leads back to the run', async (kind, fields, input) => {
    await putRun(api.connection.db, 1);
    const answer = await api.site.ask(`/runs/${runId(1)}/${kind}`, form(fields, BEARER));
    expect([answer.status, answer.headers.get('location')]).toEqual([303, `/runs/${runId(1)}`]);
    expect(api.site.updated).toEqual([{ kind, input: { runId: runId(1), ...input } }]);
  });

  test.each(['answer', 'pause', 'resume'])('takes no %s without a session, nor from another site', async (kind) => {
    await putRun(api.connection.db, 1);
    const fields = { text: '2' };
    const guest = await api.site.ask(`/runs/${runId(1)}/${kind}`, form(fields));
    const elsewhere = await api.site.ask(
      `/runs/${runId(1)}/${kind}`,
      form(fields, { ...BEARER, 'sec-fetch-site': 'cross-site' }),
    );
    expect([guest.status, elsewhere.status, api.site.updated]).toEqual([401, 403, []]);
  });

  test('counts on the overview', async () => {
    await putAskingRun(api.connection.db, 1, QUESTION);
    const html = await (await api.site.ask('/')).text();
    expect(html).toMatch(/<strong>1<\/strong> waiting for people/);
    expect(html).toContain('waits for an answer');
  });
});
