import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  addHook,
  client,
  DEMO,
  openPull,
  Receiver,
  remote,
  signatureOf,
  startWithDemo,
  type Stage,
} from './emulator.ts';

let stage: Stage;
let receiver: Receiver;
let hook: number;

beforeAll(async () => {
  stage = await startWithDemo();
  receiver = await Receiver.start();
  hook = await addHook(stage.octo, receiver);
});
afterAll(async () => {
  await stage.emulator.close();
  await receiver.close();
});

const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

async function label(title: string, name: string): Promise<number> {
  const { data } = await stage.octo.issues.create({ ...DEMO, title, body: 'please' });
  await stage.octo.issues.addLabels({ ...DEMO, issue_number: data.number, labels: [name] });
  return data.number;
}

describe('a delivery', () => {
  test('has the headers and the signature of GitHub', async () => {
    const number = await label('signed', 'run:dev');
    await expect.poll(() => receiver.named('issues.labeled').map(({ body }) => body.issue.number)).toContain(number);
    const { headers, raw } = receiver.named('issues.labeled').at(-1)!;
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'x-github-event': 'issues',
      'x-github-hook-id': String(hook),
      'x-hub-signature-256': signatureOf(raw),
    });
    expect(headers['user-agent']).toMatch(/^GitHub-Hookshot\//);
    expect(headers['x-github-delivery']).toMatch(GUID);
  });

  test('shows the issue, the label, the repository and the sender', async () => {
    const number = await label('shown', 'run:qa');
    const body = (): unknown => receiver.named('issues.labeled').find(({ body }) => body.issue.number === number)?.body;
    await expect.poll(body).toMatchObject({
      action: 'labeled',
      issue: { number, title: 'shown', body: 'please', labels: [{ name: 'run:qa' }], user: { login: 'octo' } },
      label: { name: 'run:qa', id: expect.any(Number) as number },
      repository: { id: 1, full_name: 'octo/demo', default_branch: 'main', owner: { login: 'octo' } },
      sender: { login: 'octo', id: expect.any(Number) as number, type: 'User' },
    });
  });

  test('follows the one before it', async () => {
    const { data } = await stage.octo.issues.create({ ...DEMO, title: 'in order', labels: ['first'] });
    await stage.octo.issues.addLabels({ ...DEMO, issue_number: data.number, labels: ['second'] });
    await stage.octo.issues.removeLabel({ ...DEMO, issue_number: data.number, name: 'first' });
    await stage.octo.issues.update({ ...DEMO, issue_number: data.number, state: 'closed' });
    await stage.octo.issues.update({ ...DEMO, issue_number: data.number, state: 'open' });
    const actions = (): string[] =>
      receiver.received.filter(({ body }) => body.issue?.number === data.number).map(({ body }) => body.action);
    await expect.poll(actions).toEqual(['opened', 'labeled', 'labeled', 'unlabeled', 'closed', 'reopened']);
  });

  test('says of a comment what it was before it was edited, and what it was when it is deleted', async () => {
    const number = await label('for comments', 'talk');
    const { data } = await stage.octo.issues.createComment({ ...DEMO, issue_number: number, body: 'one' });
    await stage.octo.issues.updateComment({ ...DEMO, comment_id: data.id, body: 'two' });
    await stage.octo.issues.deleteComment({ ...DEMO, comment_id: data.id });
    const mine = (name: string): unknown => receiver.named(name).find(({ body }) => body.comment.id === data.id)?.body;
    await expect.poll(() => mine('issue_comment.deleted')).toMatchObject({ comment: { body: 'two' } });
    expect(mine('issue_comment.edited')).toMatchObject({
      changes: { body: { from: 'one' } },
      comment: { body: 'two', user: { login: 'octo' } },
    });
  });

  test('says that a bot is one', async () => {
    const number = await label('for a bot', 'talk');
    await client(stage.emulator, 'token-bot').issues.createComment({ ...DEMO, issue_number: number, body: 'I begin' });
    const sender = (): unknown =>
      receiver.named('issue_comment.created').find(({ body }) => body.issue.number === number)?.body.sender;
    await expect.poll(sender).toMatchObject({ login: 'codex-k8s[bot]', type: 'Bot' });
  });
});

describe('a pull request', () => {
  test('that is labeled sends a pull_request webhook', async () => {
    const number = await openPull(stage, { branch: 'labeled', files: { 'labeled.txt': '1\n' } });
    await stage.octo.issues.addLabels({ ...DEMO, issue_number: number, labels: ['run:revise'] });
    await stage.octo.issues.removeLabel({ ...DEMO, issue_number: number, name: 'run:revise' });
    const mine = (): string[] => receiver.names.filter((_, index) => receiver.received[index]?.body.number === number);
    await expect.poll(mine).toEqual(['pull_request.opened', 'pull_request.labeled', 'pull_request.unlabeled']);
    const labeled = receiver.named('pull_request.labeled').find(({ body }) => body.number === number);
    expect(labeled?.body).toMatchObject({
      label: { name: 'run:revise' },
      pull_request: { head: { ref: 'labeled', repo: { id: 1 } } },
    });
  });

  test('that is pushed to sends a synchronize webhook besides the push', async () => {
    const number = await openPull(stage, { branch: 'pushed', files: { 'pushed.txt': '1\n' } });
    const before = await stage.copy.git('rev-parse', 'HEAD');
    const after = await stage.copy.commit({ 'pushed.txt': '2\n' }, 'second try');
    await stage.copy.git('push', '--quiet', remote(stage.emulator), 'pushed');
    const synchronized = (): unknown =>
      receiver.named('pull_request.synchronize').find(({ body }) => body.number === number)?.body;
    await expect.poll(synchronized).toMatchObject({ before, after, pull_request: { head: { sha: after } } });
    const push = receiver.named('push').find(({ body }) => body.after === after);
    expect(push?.body).toMatchObject({
      ref: 'refs/heads/pushed',
      before,
      commits: [{ id: after, message: 'second try', modified: ['pushed.txt'] }],
    });
  });
});

describe('the record of deliveries', () => {
  test('lists a failure, which is sent again with the same GUID and bytes when asked', async () => {
    receiver.status = 500;
    const number = await label('will fail', 'run:ops');
    await expect
      .poll(() => receiver.named('issues.labeled').filter(({ body }) => body.issue.number === number).length)
      .toBe(1);
    receiver.status = 200;
    const failed = async (): Promise<number | undefined> => {
      const { data } = await stage.octo.repos.listWebhookDeliveries({ ...DEMO, hook_id: hook });
      return data.find((delivery) => delivery.action === 'labeled' && delivery.status_code === 500)?.id;
    };
    await expect.poll(failed).toBeTypeOf('number');
    const id = (await failed()) ?? 0;
    await stage.octo.repos.redeliverWebhookDelivery({ ...DEMO, hook_id: hook, delivery_id: id });
    const attempts = () => receiver.named('issues.labeled').filter(({ body }) => body.issue.number === number);
    await expect.poll(() => attempts().length).toBe(2);
    const [first, second] = attempts();
    expect(second?.raw).toBe(first?.raw);
    expect(second?.headers['x-github-delivery']).toBe(first?.headers['x-github-delivery']);
    const newest = async () => (await stage.octo.repos.listWebhookDeliveries({ ...DEMO, hook_id: hook })).data[0];
    await expect
      .poll(newest)
      .toMatchObject({ redelivery: true, guid: first?.headers['x-github-delivery'], status: 'OK', status_code: 200 });
  });

  test('shows what was sent and what came back', async () => {
    const newest = async () => (await stage.octo.repos.listWebhookDeliveries({ ...DEMO, hook_id: hook })).data[0]?.id;
    await expect.poll(newest).toBeTypeOf('number');
    const { data } = await stage.octo.repos.getWebhookDelivery({
      ...DEMO,
      hook_id: hook,
      delivery_id: (await newest()) ?? 0,
    });
    expect(data.request.headers).toMatchObject({ 'X-GitHub-Hook-ID': String(hook) });
    expect(data.request.payload).toHaveProperty('repository');
    expect(data.response).toMatchObject({ payload: 'received' });
  });

  test('is read page by page, newest first', async () => {
    const all = await stage.octo.paginate(stage.octo.repos.listWebhookDeliveries, {
      ...DEMO,
      hook_id: hook,
      per_page: 3,
    });
    const ids = all.map(({ id }) => id);
    expect(ids.length).toBeGreaterThan(6);
    expect(ids).toEqual([...new Set(ids)].toSorted((left, right) => right - left));
  });
});

test('a receiver that is not there is a failed delivery', async () => {
  const gone = await Receiver.start();
  const id = await addHook(stage.octo, gone, ['issues']);
  await expect.poll(() => gone.names).toEqual(['ping']);
  await gone.close();
  await stage.octo.issues.create({ ...DEMO, title: 'nobody listens' });
  const newest = async () => (await stage.octo.repos.listWebhookDeliveries({ ...DEMO, hook_id: id })).data[0];
  await expect
    .poll(newest)
    .toMatchObject({ event: 'issues', action: 'opened', status: 'failed to connect to host', status_code: 502 });
  await stage.octo.repos.deleteWebhook({ ...DEMO, hook_id: id });
});

test('two hooks each get their own delivery of one event', async () => {
  const other = await Receiver.start();
  const second = await addHook(stage.octo, other, ['issues']);
  const number = await label('heard twice', 'run:plan');
  const heard = (by: Receiver) => by.named('issues.labeled').filter(({ body }) => body.issue.number === number);
  await expect.poll(() => [heard(receiver).length, heard(other).length]).toEqual([1, 1]);
  expect([heard(receiver)[0], heard(other)[0]].map((delivery) => delivery?.headers['x-github-hook-id'])).toEqual([
    String(hook),
    String(second),
  ]);
  await stage.octo.repos.deleteWebhook({ ...DEMO, hook_id: second });
  await other.close();
});

test('a hook gets only the events that it subscribes to', async () => {
  const picky = await Receiver.start();
  const id = await addHook(stage.octo, picky, ['issue_comment']);
  const number = await label('picky', 'run:arch');
  await stage.octo.issues.createComment({ ...DEMO, issue_number: number, body: 'hello' });
  await expect.poll(() => picky.names).toEqual(['ping', 'issue_comment.created']);
  await stage.octo.repos.deleteWebhook({ ...DEMO, hook_id: id });
  await picky.close();
});

test('the secret of a hook never comes back', async () => {
  const { data } = await stage.octo.repos.getWebhook({ ...DEMO, hook_id: hook });
  expect(data.config.secret).toBe('********');
});

describe('a repository that is archived', () => {
  test('sends webhooks when it is archived and unarchived, and is shown so', async () => {
    await stage.octo.repos.update({ ...DEMO, archived: true });
    await expect.poll(() => receiver.named('repository.archived')).toHaveLength(1);
    expect(receiver.named('repository.archived')[0]?.body).toMatchObject({
      repository: { full_name: 'octo/demo', archived: true },
      sender: { login: 'octo' },
    });
    await stage.octo.repos.update({ ...DEMO, archived: false });
    await expect.poll(() => receiver.named('repository.unarchived')).toHaveLength(1);
    expect((await stage.octo.repos.get(DEMO)).data.archived).toBe(false);
  });

  test('sends no such webhook for other changes', async () => {
    await stage.octo.repos.update({ ...DEMO, description: 'a demo' });
    await stage.octo.issues.create({ ...DEMO, title: 'afterwards' });
    await expect.poll(() => receiver.names).toContain('repository.edited');
    expect(receiver.named('repository.archived')).toHaveLength(1);
  });
});
