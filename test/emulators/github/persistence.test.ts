import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  ACCOUNTS,
  addHook,
  client,
  DEMO,
  freshDirectory,
  openPull,
  Receiver,
  remote,
  startEmulator,
  WorkingCopy,
} from './emulator.ts';

let receiver: Receiver;

beforeAll(async () => {
  receiver = await Receiver.start();
});
afterAll(async () => receiver.close());

test('everything is there after a stop and a start', async () => {
  const dataDir = await freshDirectory();
  const before = await startEmulator(dataDir);
  const octo = client(before);
  await octo.repos.createForAuthenticatedUser({ name: 'demo' });
  const copy = await WorkingCopy.create();
  const head = await copy.commit({ 'story.txt': 'once\n' });
  await copy.git('push', '--quiet', remote(before), 'main');
  const hook_id = await addHook(octo, receiver, ['issues']);
  const { data: issue } = await octo.issues.create({ ...DEMO, title: 'lasting', labels: ['run:dev'] });
  await octo.reactions.createForIssue({ ...DEMO, issue_number: issue.number, content: 'rocket' });
  const pull_number = await openPull({ emulator: before, copy });
  await expect.poll(async () => (await octo.repos.listWebhookDeliveries({ ...DEMO, hook_id })).data.length).toBe(3);
  const deliveries = (await octo.repos.listWebhookDeliveries({ ...DEMO, hook_id })).data;
  const events = (await octo.issues.listEvents({ ...DEMO, issue_number: issue.number })).data;
  await before.close();

  const after = await startEmulator(dataDir);
  const again = client(after);
  expect((await again.repos.getBranch({ ...DEMO, branch: 'main' })).data.commit.sha).toBe(head);
  expect((await again.repos.getContent({ ...DEMO, path: 'story.txt' })).data).toMatchObject({ size: 5 });
  expect((await again.issues.get({ ...DEMO, issue_number: issue.number })).data).toMatchObject({
    id: issue.id,
    title: 'lasting',
    created_at: issue.created_at,
  });
  expect((await again.issues.listEvents({ ...DEMO, issue_number: issue.number })).data.map(({ id }) => id)).toEqual(
    events.map(({ id }) => id),
  );
  expect((await again.reactions.listForIssue({ ...DEMO, issue_number: issue.number })).data).toHaveLength(1);
  expect((await again.pulls.get({ ...DEMO, pull_number })).data).toMatchObject({ mergeable: true, changed_files: 1 });
  expect((await again.repos.listWebhookDeliveries({ ...DEMO, hook_id })).data.map(({ guid }) => guid)).toEqual(
    deliveries.map(({ guid }) => guid),
  );
  expect((await again.issues.create({ ...DEMO, title: 'next' })).data.number).toBe(pull_number + 1);
  await again.pulls.merge({ ...DEMO, pull_number });
  await after.close();
});

test('an acknowledged change survives SIGKILL', async () => {
  const dataDir = await freshDirectory();
  const first = await startProcess(dataDir);
  const octo = client({ apiUrl: first.url });
  await octo.repos.createForAuthenticatedUser({ name: 'demo' });
  const copy = await WorkingCopy.create();
  const head = await copy.commit({ 'story.txt': 'once\n' });
  await copy.git('push', '--quiet', remote(first), 'main');
  const hook_id = await addHook(octo, receiver, ['issues']);
  const numbers: number[] = [];
  for (let count = 0; count < 5; count++)
    numbers.push((await octo.issues.create({ ...DEMO, title: `issue ${count}` })).data.number);
  first.child.kill('SIGKILL');
  await once(first.child, 'exit');

  const second = await startProcess(dataDir);
  const again = client({ apiUrl: second.url });
  expect((await again.git.getRef({ ...DEMO, ref: 'heads/main' })).data.object.sha).toBe(head);
  expect((await again.issues.listForRepo({ ...DEMO, direction: 'asc' })).data.map(({ number }) => number)).toEqual(
    numbers,
  );
  const opened = async () => {
    const { data } = await again.repos.listWebhookDeliveries({ ...DEMO, hook_id });
    return data.filter(({ event }) => event === 'issues').length;
  };
  await expect.poll(opened, { timeout: 60_000 }).toBe(numbers.length);
  second.child.kill('SIGKILL');
  await once(second.child, 'exit');
});

test('a second emulator cannot start on the same directory', async () => {
  const dataDir = await freshDirectory();
  const first = await startEmulator(dataDir);
  await expect(startEmulator(dataDir)).rejects.toThrow(/locked/);
  await first.close();
});

/** Runs the emulator in a process of its own. */
async function startProcess(dataDir: string): Promise<{ url: string; child: ChildProcess }> {
  const server = fileURLToPath(new URL('../../../src/emulators/github/server.ts', import.meta.url));
  const script = `
    const { startGitHubEmulator } = await import(${JSON.stringify(server)});
    const { url } = await startGitHubEmulator({ dataDir: ${JSON.stringify(dataDir)}, accounts: ${JSON.stringify(ACCOUNTS)} });
    console.log(url);
  `;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { url: line.toString().trim(), child };
}
