/** Puts the parts of the GitHub emulator together. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { admitAdmins, seedAccounts, TokenMap, type EmulatorAccount } from './accounts.ts';
import { EmulatedApi, loadGitHubPlugin } from './emulate.ts';
import { GitMirror } from './git/mirror.ts';
import { PullRequests } from './pull-requests.ts';
import type { RepoRow, Rows, UserRow } from './rows.ts';
import { Database } from './store/database.ts';
import { RowStore } from './store/store.ts';
import { DeliverySender } from './webhooks/sender.ts';
import { DeliveryLog } from './webhooks/deliveries.ts';
import { EventQueue } from './webhooks/events.ts';
import { Presenter } from './webhooks/payload.ts';

/** The parts of the emulator that routes use. */
export interface Emulator {
  baseUrl: string;
  rows: Rows;
  tokens: TokenMap;
  api: EmulatedApi;
  show: Presenter;
  mirror: GitMirror;
  pulls: PullRequests;
  events: EventQueue;
  deliveries: DeliveryLog;
  /** Runs one change at a time; it resolves once git, the disk and the webhook deliveries have it. */
  change<T>(by: UserRow | undefined, work: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Opens the state in `dataDir`, seeds it on the first start, and sends the deliveries that an earlier process left unsent. */
export async function openEmulator(
  dataDir: string,
  baseUrl: string,
  accounts: readonly EmulatorAccount[],
): Promise<Emulator> {
  await mkdir(join(dataDir, 'git'), { recursive: true });
  const plugin = await loadGitHubPlugin();
  const store = new RowStore();
  const rows: Rows = {
    ...plugin.getGitHubStore(store),
    reactions: store.collection('emulator.reactions', ['subject_id']),
    tokens: store.collection('emulator.tokens', ['token']),
    redirects: store.collection('emulator.redirects', ['from']),
    environments: store.collection('emulator.environments', ['repo_id']),
    environmentSecrets: store.collection('emulator.environment_secrets', ['environment_id']),
  };
  const database = new Database(join(dataDir, 'github.sqlite'), store);
  if (database.empty) plugin.githubPlugin.seed(store, baseUrl);
  else database.loadAll();

  const mirror = new GitMirror(dataDir, rows);
  const deliveries = new DeliveryLog(database);
  const sender = new DeliverySender(rows, deliveries);
  const events = new EventQueue(rows, database, deliveries, sender);
  const tokens = new TokenMap(rows.tokens);
  seedAccounts(rows, tokens, accounts, baseUrl);
  const api = new EmulatedApi(plugin, store, events, baseUrl, tokens);
  const show = new Presenter(api, rows, baseUrl);
  events.present(show);
  const pulls = new PullRequests(rows, mirror, events, api, baseUrl);
  store.onChange((change) => mirror.observe(change));
  store.onChange(({ collection, before, after }) => {
    if (collection === 'github.repos' && !before && after) admitAdmins(rows, accounts, after as RepoRow);
    const former = (before as RepoRow | undefined)?.full_name;
    if (collection === 'github.repos' && after && former !== undefined && former !== (after as RepoRow).full_name)
      rows.redirects.insert({ from: former, repo_id: after.id });
  });

  const oneAtATime = pLimit(1);
  const settle = async (by: UserRow | undefined): Promise<void> => {
    while (mirror.dirty) {
      const moved = await mirror.flush();
      if (by) await pulls.refsMoved(moved, by);
    }
    if (events.dirty || database.dirty) await events.settle();
  };
  const change = <T>(by: UserRow | undefined, work: () => Promise<T>): Promise<T> =>
    oneAtATime(async () => {
      try {
        return await work();
      } finally {
        await settle(by);
      }
    });
  const close = async (): Promise<void> => {
    await oneAtATime(async () => sender.close());
    database.close();
  };

  const unsent = deliveries.unsent();
  const owner = accounts[0] && rows.users.findOneBy('login', accounts[0].login);
  await change(owner, async () => {
    const moved = await mirror.load();
    if (owner) await pulls.refsMoved(moved, owner);
  });
  sender.enqueue(unsent);
  return { baseUrl, rows, tokens, api, show, mirror, pulls, events, deliveries, change, close };
}
