import { beforeEach, describe, expect, test } from 'vitest';
import { FAILURES, RUN_STATUSES } from '../../../src/domain/run/runs.ts';
import { storeNetworkFinding } from '../../../src/store/workspaces/cluster-findings.ts';
import { createSite, ORIGIN, useSite } from './support/site.ts';
import { bind, keyOf, minutesAgo, putDelivery, putEvent, putIssue, putLines, putRun, runId } from './support/world.ts';

const given = useSite();

/** The page's HTML with its white space drawn together. */
async function page(path: string, expected = 200): Promise<string> {
  const response = await given.site.ask(path);
  expect(response.status).toBe(expected);
  return (await response.text()).replaceAll(/\s+/g, ' ');
}

/** What a person reads. */
async function words(path: string): Promise<string> {
  return (await page(path)).replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ');
}

describe('the overview', () => {
  test.each([
    ['unenforced', '10.96.0.1:443', /network does not enforce policies: an agent could reach 10\.96\.0\.1:443/],
    ['unreachable', '10.0.0.7:8090', /pods cannot reach the platform at 10\.0\.0\.7:8090/],
    ['unknown', 'its namespace is gone', /network enforces policies is not known: its namespace is gone/],
  ] as const)('says that no agent is started since the network is %s', async (state, detail, sentence) => {
    await storeNetworkFinding(given.connection.db, { state, detail, agents: 'stopped' });
    const text = await words('/');
    expect(text).toMatch(/No agent is started: /);
    expect(text).toMatch(sentence);
    expect(text).toMatch(/What to do: .* accept it with CODEXK8S_ALLOW_UNENFORCED_NETWORK_POLICY=true/);
  });

  test.each(['unenforced', 'unreachable', 'unknown'] as const)(
    'says that agents are started all the same though the network is %s',
    async (state) => {
      await storeNetworkFinding(given.connection.db, { state, detail: '10.96.0.1:443', agents: 'started' });
      expect(await words('/')).toMatch(
        /Agents are started all the same, since CODEXK8S_ALLOW_UNENFORCED_NETWORK_POLICY=true allows it:/,
      );
    },
  );

  test('says nothing of a network that is as it ought to be', async () => {
    await storeNetworkFinding(given.connection.db, { state: 'unenforced', detail: '10.96.0.1:443', agents: 'stopped' });
    await storeNetworkFinding(given.connection.db, { state: 'enforced', detail: '', agents: 'started' });
    expect(await words('/')).not.toContain('enforce');
  });

  test('cannot be written into by what a probe has said', async () => {
    await storeNetworkFinding(given.connection.db, {
      state: 'unknown',
      detail: '<b>CODEXK8S_X</b>',
      agents: 'stopped',
    });
    expect(await page('/')).toContain('&lt;b&gt;<code>CODEXK8S_X</code>&lt;/b&gt;');
  });

  test('says how to bind a repository when there is none', async () => {
    expect(await words('/')).toContain('npx codex-k8s repositories add OWNER/NAME');
  });

  test('says which label to put on, and where, when nothing has been asked for', async () => {
    await bind(given.connection.db);
    const html = await page('/');
    expect(html).toMatch(/Put the label <code class="label">run:dev<\/code> on an issue of a bound repository/);
    expect(html).toContain('href="https://github.example/acme/shop/issues"');
  });

  test('shows issues and runs with their state in words', async () => {
    await bind(given.connection.db);
    await putIssue(given.connection.db, 1, { title: 'Add it', state: 'waiting', waitingFor: 'review', pullRequest: 7 });
    await putRun(given.connection.db, 1, { status: 'failed', failure: 'agent_lost' });
    const text = await words('/');
    expect(text).toContain('waits for a review');
    expect(text).toMatch(/failed .*disappeared without a report/);
  });

  test('says that Temporal is unreachable, when facts wait to be signaled', async () => {
    await given.connection
      .sql`insert into inboxes (issue_key, issue, last_seq, failures) values ('issue:1#1', '{}', 2, 3)`;
    expect(await words('/')).toMatch(/Temporal is unreachable. Facts of 1 issue are stored/);
  });
});

describe('the page of a run', () => {
  beforeEach(async () => {
    await bind(given.connection.db);
    await putIssue(given.connection.db, 1, { title: 'Add it' });
  });

  test.each(FAILURES)('tells the failure %s in a sentence and says what to do next', async (failure) => {
    await putRun(given.connection.db, 1, { status: 'failed', failure, detail: 'exit code 7' });
    const text = await words(`/runs/${runId(1)}`);
    expect(text).toMatch(/What next: \S.{20,}exit code 7/);
    expect(text).not.toContain('{');
  });

  test.each(RUN_STATUSES)('names the status %s', async (status) => {
    await putRun(given.connection.db, 1, { status });
    expect(await words(`/runs/${runId(1)}`)).toContain(status);
  });

  test('says who asked, and by what', async () => {
    await putRun(given.connection.db, 1, { kind: 'revise', trigger: 'review:9', triggeredBy: 'maxim', pullRequest: 7 });
    expect(await words(`/runs/${runId(1)}`)).toContain('@maxim requested changes in a review of pull request #7');
  });

  test('links to GitHub and to Temporal Web', async () => {
    const url = 'https://github.example/acme/shop/pull/7';
    await putRun(given.connection.db, 1, {
      pullRequest: 7,
      pullRequestUrl: url,
      statusCommentUrl: `${url}#issuecomment-1`,
    });
    const html = await page(`/runs/${runId(1)}`);
    for (const address of [
      'https://github.example/acme/shop/issues/1',
      url,
      `${url}#issuecomment-1`,
      `http://temporal/namespaces/space/workflows/run%3A${runId(1)}`,
    ])
      expect(html).toContain(`href="${address}"`);
  });

  test('makes no link of an address that is none of the web', async () => {
    await putRun(given.connection.db, 1, { pullRequest: 7, pullRequestUrl: 'javascript:alert(1)' });
    expect(await page(`/runs/${runId(1)}`)).not.toContain('href="javascript:');
  });

  test('names the commands to type', async () => {
    await putRun(given.connection.db, 1);
    const text = await words(`/runs/${runId(1)}`);
    for (const verb of ['logs', 'cancel', 'replay']) expect(text).toContain(`npx codex-k8s runs ${verb} ${runId(1)}`);
  });

  test('shows what happened in plain words', async () => {
    await putRun(given.connection.db, 1);
    await putEvent(given.connection.db, {
      id: 'e',
      type: 'run.agent.started',
      runId: runId(1),
      payload: { attempt: 2 },
    });
    expect(await words(`/runs/${runId(1)}`)).toMatch(/The agent started on the branch .*attempt 2/);
  });

  test('shows the position of a queued run', async () => {
    await putRun(given.connection.db, 1, { status: 'queued' });
    expect(await words(`/runs/${runId(1)}`)).toContain('position 1 in the queue');
  });

  test('shows what an agent wrote as text, whatever it wrote', async () => {
    await putRun(given.connection.db, 1);
    await putLines(given.connection.db, runId(1), [{ n: 0, text: '<img src=x onerror=alert(1)>' }]);
    const html = await page(`/runs/${runId(1)}`);
    expect(html).toContain('&lt;img src=x onerror=alert(1)&gt;');
  });

  test('shows the end of a long log, with a way to what came before', async () => {
    await putRun(given.connection.db, 1, { status: 'succeeded' });
    await putLines(
      given.connection.db,
      runId(1),
      Array.from({ length: 700 }, (_, n) => ({ n })),
    );
    const html = await page(`/runs/${runId(1)}`);
    expect([html.includes('id="L199"'), html.includes('id="L200"'), html.includes('id="L699"')]).toEqual([
      false,
      true,
      true,
    ]);
    expect(html).toContain(`/runs/${runId(1)}?after=-1#log-heading">Older lines`);
  });

  test('has a link to newer lines, for a browser without a script', async () => {
    await putRun(given.connection.db, 1);
    await putLines(given.connection.db, runId(1), [{ n: 0 }, { n: 1 }]);
    expect(await page(`/runs/${runId(1)}?after=0`)).toContain(`/runs/${runId(1)}?after=1#log-heading">Newer lines`);
  });

  test('names the stream and the last line on it while the run goes on', async () => {
    await putRun(given.connection.db, 1);
    await putLines(given.connection.db, runId(1), [{ n: 4 }]);
    const html = await page(`/runs/${runId(1)}`);
    expect(html).toContain(`data-stream="/runs/${runId(1)}/stream" data-stream-after="4"`);
  });

  test('has no stream and no cancel button when the run is over', async () => {
    await putRun(given.connection.db, 1, { status: 'canceled', detail: 'olivia: enough' });
    expect(await page(`/runs/${runId(1)}`)).not.toMatch(/data-stream=|\/cancel"/);
  });
});

describe('the page of an issue', () => {
  test('shows its runs and its events, newest first', async () => {
    await bind(given.connection.db);
    await putIssue(given.connection.db, 1, { title: 'Add it' });
    await putRun(given.connection.db, 1);
    await putEvent(given.connection.db, { id: 'a', type: 'issue.closed' });
    await putEvent(given.connection.db, { id: 'b', type: 'issue.reopened' });
    const text = await words('/issues/acme/shop/1');
    expect(text).toMatch(/Add it .*working.*The issue was reopened.*The issue was closed/);
  });

  test('that does not exist is an error page', async () => {
    expect(await page('/issues/acme/shop/77', 404)).toContain('There is no issue acme/shop#77.');
  });
});

test('the deliveries say what was decided and why', async () => {
  await bind(given.connection.db);
  await putIssue(given.connection.db, 1);
  await putDelivery(given.connection.db, 'd-1', { status: 'ignored', reason: 'sender_not_allowed', repeats: 1 });
  const text = await words('/deliveries');
  expect(text).toMatch(/delivered 2 times, counted once.*ignored The platform does not know the sender/);
});

test('a list has a way to what is older, and keeps what was chosen', async () => {
  await bind(given.connection.db);
  for (let n = 1; n <= 51; n += 1) await putRun(given.connection.db, n, { status: 'queued' });
  const href = /href="(\/runs\?status=queued&amp;cursor=[\w-]+)"/.exec(await page('/runs?status=queued'))?.[1] ?? '';
  expect(await page(href.replaceAll('&amp;', '&'))).toContain(runId(51));
});

test('an unknown value of a filter is an error page', async () => {
  expect(await page('/runs?status=asleep', 400)).toContain('The request failed');
});

describe('every page', () => {
  const paths = ['/', '/issues', '/runs', '/deliveries', '/issues/acme/shop/1', `/runs/${runId(1)}`, '/login'];
  beforeEach(async () => {
    await bind(given.connection.db);
    await putIssue(given.connection.db, 1);
    await putRun(given.connection.db, 1, { startedAt: minutesAgo(1) });
    await putEvent(given.connection.db, { id: 'e', type: 'run.requested', runId: runId(1), chain: keyOf(1) });
    await putDelivery(given.connection.db, 'd');
  });

  test.each(paths)('%s has landmarks, one heading, a way past the menu and an announcer', async (path) => {
    const html = await page(path);
    expect(html).toMatch(/<a class="skip" href="#main">.*<nav aria-label="Main">.*<main id="main"/);
    expect(html.match(/<h1>/g)).toHaveLength(1);
    expect(html).toContain('aria-live="polite"');
    expect(html).toContain('<html lang="en">');
  });

  test.each(paths)('%s runs nothing inline and allows nothing foreign', async (path) => {
    const response = await given.site.ask(path);
    expect(response.headers.get('content-security-policy')).toMatch(/^default-src 'self';/);
    expect(await response.text()).not.toMatch(/<style|\sstyle=|\son[a-z]+=|<script(?! type="module" src="\/assets\/)/);
  });

  test.each(paths)('%s gives no id twice', async (path) => {
    const ids = [...(await page(path)).matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id);
    expect(ids).toEqual([...new Set(ids)]);
  });

  test.each(paths)('%s gives every moment exactly, too', async (path) => {
    for (const [time] of (await page(path)).matchAll(/<time[^>]*>/g))
      expect(time).toMatch(/datetime="\d{4}-[^"]+Z" title="\d{4}-[^"]+ UTC"/);
  });

  test('finds its assets, which may be kept', async () => {
    const urls = [...(await page('/')).matchAll(/(?:href|src)="(\/assets\/[^"]+)"/g)].map(([, url]) => url ?? '');
    expect(urls).toHaveLength(3);
    for (const url of urls) {
      const response = await given.site.ask(url);
      expect([response.status, response.headers.get('cache-control')]).toEqual([
        200,
        'public, max-age=31536000, immutable',
      ]);
    }
  });

  test('names only addresses of our own origin or of the urls it was given', async () => {
    for (const path of paths) {
      for (const [, url] of (await page(path)).matchAll(/(?:href|src|action)="([^"]+)"/g))
        expect(new URL(url ?? '', ORIGIN).origin).toMatch(
          /^(http:\/\/127.0.0.1:8080|https:\/\/github.example|http:\/\/temporal)$/,
        );
    }
  });
});

test('an unexpected error is a page with an id that is logged', async () => {
  const broken = createSite({ ...given.connection, db: {} as typeof given.connection.db });
  const response = await broken.ask('/runs');
  await broken.live.close();
  const id = response.headers.get('x-correlation-id') ?? 'none';
  expect([response.status, await response.text()]).toEqual([500, expect.stringContaining(id) as string]);
  expect(broken.logged).toMatchObject([{ correlationId: id }]);
});
