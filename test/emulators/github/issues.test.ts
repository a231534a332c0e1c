import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { client, DEMO, openPull, startWithDemo, type Stage } from './emulator.ts';

let stage: Stage;
let issue: number;
let pull: number;

beforeAll(async () => {
  stage = await startWithDemo();
  issue = (await stage.octo.issues.create({ ...DEMO, title: 'an issue', labels: ['bug'] })).data.number;
  pull = await openPull(stage);
});
afterAll(async () => stage.emulator.close());

describe('the history of an issue', () => {
  test('has a labeled event with an id of its own for each click', async () => {
    await stage.octo.issues.addLabels({ ...DEMO, issue_number: issue, labels: ['run:dev'] });
    await stage.octo.issues.removeLabel({ ...DEMO, issue_number: issue, name: 'run:dev' });
    await stage.octo.issues.addLabels({ ...DEMO, issue_number: issue, labels: ['run:dev'] });
    const events = await stage.octo.paginate(stage.octo.issues.listEvents, {
      ...DEMO,
      issue_number: issue,
      per_page: 1,
    });
    const clicks = events.map((event) => [event.event, 'label' in event ? event.label.name : undefined]);
    expect(clicks).toEqual([
      ['labeled', 'bug'],
      ['labeled', 'run:dev'],
      ['unlabeled', 'run:dev'],
      ['labeled', 'run:dev'],
    ]);
    expect(events.map(({ id }) => id)).toEqual(events.map(({ id }) => id).toSorted((left, right) => left - right));
    expect(events[0]).toMatchObject({ actor: { login: 'octo' }, created_at: expect.any(String) as string });
  });

  test('is kept for pull requests too', async () => {
    await stage.octo.issues.addLabels({ ...DEMO, issue_number: pull, labels: ['run:revise'] });
    const events = (await stage.octo.issues.listEvents({ ...DEMO, issue_number: pull })).data;
    expect(events).toMatchObject([{ event: 'labeled', label: { name: 'run:revise' } }]);
  });

  test('is a timeline with the comments in it', async () => {
    await stage.octo.issues.createComment({ ...DEMO, issue_number: issue, body: 'what now?' });
    const timeline = (await stage.octo.issues.listEventsForTimeline({ ...DEMO, issue_number: issue })).data;
    expect(timeline.at(-1)).toMatchObject({ event: 'commented', body: 'what now?', actor: { login: 'octo' } });
  });
});

describe('a pull request', () => {
  test('is listed and shown as the issue it also is', async () => {
    const { data: list } = await stage.octo.issues.listForRepo({ ...DEMO, state: 'all' });
    expect(list.map(({ number, pull_request }) => [number, pull_request !== undefined])).toEqual([
      [pull, true],
      [issue, false],
    ]);
    expect((await stage.octo.issues.get({ ...DEMO, issue_number: pull })).data).toMatchObject({
      number: pull,
      user: { type: 'Bot' },
    });
  });

  test('is found by its head', async () => {
    const found = (await stage.octo.pulls.list({ ...DEMO, head: 'octo:topic', state: 'all' })).data;
    expect(found.map(({ number }) => number)).toEqual([pull]);
    expect((await stage.octo.pulls.list({ ...DEMO, head: 'octo:other', state: 'all' })).data).toEqual([]);
  });

  test('cannot be opened twice for one branch', async () => {
    const again = stage.octo.pulls.create({ ...DEMO, head: 'topic', base: 'main', title: 'again' });
    await expect(again).rejects.toMatchObject({
      status: 422,
      message: expect.stringContaining('already exists') as string,
    });
  });

  test('cannot be opened for a branch that is not there', async () => {
    const missing = stage.octo.pulls.create({ ...DEMO, head: 'missing', base: 'main', title: 'missing' });
    await expect(missing).rejects.toMatchObject({ status: 422 });
  });

  test('cannot be opened for a branch without a commit of its own', async () => {
    const { data } = await stage.octo.git.getRef({ ...DEMO, ref: 'heads/main' });
    await stage.octo.git.createRef({ ...DEMO, ref: 'refs/heads/same', sha: data.object.sha });
    const same = stage.octo.pulls.create({ ...DEMO, head: 'same', base: 'main', title: 'same' });
    await expect(same).rejects.toMatchObject({
      status: 422,
      message: expect.stringContaining('No commits between') as string,
    });
  });

  test('can be closed and opened again as an issue', async () => {
    await stage.octo.issues.update({ ...DEMO, issue_number: pull, state: 'closed' });
    expect((await stage.octo.pulls.get({ ...DEMO, pull_number: pull })).data.state).toBe('closed');
    await stage.octo.issues.update({ ...DEMO, issue_number: pull, state: 'open' });
    expect((await stage.octo.pulls.get({ ...DEMO, pull_number: pull })).data.state).toBe('open');
  });
});

describe('reactions', () => {
  test('are new once, known after that, and can be taken back', async () => {
    const react = async () => stage.octo.reactions.createForIssue({ ...DEMO, issue_number: issue, content: 'eyes' });
    const [first, second] = [await react(), await react()];
    expect([first.status, second.status]).toEqual([201, 200]);
    expect((await stage.octo.reactions.listForIssue({ ...DEMO, issue_number: issue })).data).toMatchObject([
      { content: 'eyes', user: { login: 'octo' } },
    ]);
    await stage.octo.reactions.deleteForIssue({ ...DEMO, issue_number: issue, reaction_id: first.data.id });
    expect((await stage.octo.reactions.listForIssue({ ...DEMO, issue_number: issue })).data).toEqual([]);
  });

  test('can be put on a comment', async () => {
    const { data } = await stage.octo.issues.createComment({ ...DEMO, issue_number: issue, body: '/approve' });
    const reaction = await stage.octo.reactions.createForIssueComment({ ...DEMO, comment_id: data.id, content: '+1' });
    expect(reaction.status).toBe(201);
  });
});

describe('the permission', () => {
  test.each([
    ['octo', 'admin'],
    ['codex-k8s[bot]', 'write'],
    ['stranger', 'none'],
  ])('of %s is %s', async (username, permission) => {
    const { data } = await stage.octo.repos.getCollaboratorPermissionLevel({ ...DEMO, username });
    expect(data.permission).toBe(permission);
  });
});

test('a token nobody has is refused', async () => {
  await expect(client(stage.emulator, 'wrong').repos.get(DEMO)).rejects.toMatchObject({ status: 401 });
});

test('pages of a private repository ask for a token', async () => {
  await stage.octo.repos.createForAuthenticatedUser({ name: 'hidden', private: true });
  const open = async (token?: string): Promise<number> => {
    const headers: Record<string, string> = token ? { authorization: `Basic ${btoa(`me:${token}`)}` } : {};
    return (await fetch(`${stage.emulator.url}/octo/hidden`, { headers })).status;
  };
  expect([await open(), await open('token-stranger'), await open('token-octo')]).toEqual([401, 401, 200]);
});

test('links open on pages with the text of people shown as text', async () => {
  const { data } = await stage.octo.issues.create({ ...DEMO, title: '<b>bold</b>', body: '<script>alert(1)</script>' });
  const page = async (path: string): Promise<string> => (await fetch(stage.emulator.url + path)).text();
  expect(await page(new URL(data.html_url).pathname)).toContain('&lt;script&gt;');
  expect(await page('/octo/demo')).toContain('&lt;b&gt;bold');
  expect(await page(`/octo/demo/pull/${pull}`)).toContain('+the end');
});
