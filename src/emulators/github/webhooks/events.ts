/** What happened in repositories, on its way to becoming webhook deliveries. */
import { randomUUID } from 'node:crypto';
import type { EmulateWebhooks } from '../emulate.ts';
import type { HookRow, RepoRow, Rows, UserRow } from '../rows.ts';
import type { Database } from '../store/database.ts';
import type { Courier } from './courier.ts';
import type { Delivery, DeliveryLog, NewDelivery } from './deliveries.ts';
import type { Json, Presenter } from './payload.ts';

/** One thing that happened. Objects of the payload are read when the change that caused it is complete. */
export interface SandboxEvent {
  event: string;
  action?: string;
  repo: RepoRow;
  sender: UserRow;
  issue?: number;
  pull?: number;
  label?: string;
  /** Paths below the repository whose present answers belong into the payload, by their names in it. */
  read?: Record<string, string>;
  extra?: Json;
  /** Only for this hook: a ping or a test. */
  hook?: HookRow;
}

/** Pushes have their own, fuller event, told by the refs that moved. */
const TOLD_ELSEWHERE = new Set(['push', 'create', 'delete']);

/** Collects events while a request changes things, then records one delivery for each hook that wants it. */
export class EventQueue implements EmulateWebhooks {
  readonly #rows: Rows;
  readonly #database: Database;
  readonly #log: DeliveryLog;
  readonly #courier: Courier;
  #presenter: Presenter | undefined;
  #pending: SandboxEvent[] = [];

  constructor(rows: Rows, database: Database, log: DeliveryLog, courier: Courier) {
    this.#rows = rows;
    this.#database = database;
    this.#log = log;
    this.#courier = courier;
  }

  /** The presenter reads through emulate's routes, which need this queue first. */
  present(presenter: Presenter): void {
    this.#presenter = presenter;
  }

  get dirty(): boolean {
    return this.#pending.length > 0;
  }

  emit(event: SandboxEvent): void {
    this.#pending.push(event);
  }

  /** Adds to the events of the change that is under way. */
  amend(name: string, extra: Json): void {
    this.#pending = this.#pending.map((event) =>
      event.event === name ? { ...event, extra: { ...event.extra, ...extra } } : event,
    );
  }

  /** An event of emulate's own routes, with GitHub's name and shape in place of emulate's. */
  async dispatch(
    event: string,
    action: string | undefined,
    payload: unknown,
    owner: string,
    name?: string,
  ): Promise<void> {
    const repo = this.#rows.repos.findOneBy('full_name', `${owner}/${name}`);
    const {
      sender,
      issue,
      pull_request,
      label,
      repository: _,
      action: __,
      ...extra
    } = payload as Record<string, Json | undefined>;
    const account = this.#rows.users.findOneBy('login', sender?.['login']);
    if (!repo || !account || TOLD_ELSEWHERE.has(event)) return;
    const isPull = issue !== undefined && 'head' in issue;
    const number = (isPull ? issue : pull_request)?.['number'];
    this.emit({
      event: isPull && event === 'issues' ? 'pull_request' : event,
      ...(action !== undefined && { action }),
      repo,
      sender: account,
      ...(issue && !isPull && { issue: Number(issue['number']) }),
      ...(number !== undefined && { pull: Number(number) }),
      ...(event === 'label' ? { extra: { label } } : label && { label: String(label['name']) }),
      ...(event !== 'label' && { extra }),
    });
  }

  /** Writes the change and its deliveries in one transaction, then lets the courier go. */
  async settle(): Promise<void> {
    const events = this.#pending;
    this.#pending = [];
    for (const event of events) this.#touch(event);
    const drafts: NewDelivery[] = [];
    for (const event of events) drafts.push(...(await this.#draft(event)));
    this.#courier.enqueue(this.#database.commit(() => drafts.map((draft) => this.#log.add(draft))));
  }

  /** Records one more attempt at a delivery, with the GUID and body it had. */
  redeliver(delivery: Delivery): void {
    const again = { ...delivery, redelivery: true };
    this.#courier.enqueue([this.#database.commit(() => this.#log.add(again))]);
  }

  /** Whatever happens to a pull request is a change of it, and of the issue that it also is. */
  #touch({ repo, pull }: SandboxEvent): void {
    if (pull === undefined) return;
    for (const rows of [this.#rows.pullRequests, this.#rows.issues]) {
      const row = rows.findBy('repo_id', repo.id).find(({ number }) => number === pull);
      if (row) rows.update(row.id, {});
    }
  }

  async #draft(event: SandboxEvent): Promise<NewDelivery[]> {
    const hooks = event.hook ? [event.hook] : this.#hooksFor(event);
    if (hooks.length === 0) return [];
    const body = JSON.stringify(await this.#payload(event));
    const shared = {
      repoId: event.repo.id,
      guid: randomUUID(),
      event: event.event,
      action: event.action ?? null,
      body,
    };
    return hooks.map((hook) => ({ ...shared, hookId: hook.id, redelivery: false }));
  }

  #hooksFor({ event, repo }: SandboxEvent): HookRow[] {
    const ofOwner = repo.owner_type === 'Organization' ? this.#rows.webhooks.findBy('org_id', repo.owner_id) : [];
    const hooks = [...this.#rows.webhooks.findBy('repo_id', repo.id), ...ofOwner];
    return hooks.filter((hook) => hook.active && (hook.events.includes('*') || hook.events.includes(event)));
  }

  async #payload(event: SandboxEvent): Promise<Json> {
    const show = this.#presenter;
    if (!show) throw new Error('events were settled before they could be presented');
    const { pull, issue, label } = event;
    const repo = this.#rows.repos.get(event.repo.id) ?? event.repo;
    const read: Json = {};
    for (const [name, path] of Object.entries(event.read ?? {})) read[name] = await show.read(repo, path);
    const payload: Json = {
      ...(event.action !== undefined && { action: event.action }),
      ...(event.event === 'pull_request' && { number: pull }),
      ...(issue !== undefined && { issue: await show.issue(repo, issue) }),
      ...(pull !== undefined && { pull_request: await show.pull(repo, pull) }),
      ...(label !== undefined && { label: (await show.label(repo, label)) ?? { name: label } }),
      ...event.extra,
      ...read,
      repository: await show.repository(repo),
      sender: show.user(event.sender.id),
    };
    return event.event === 'pull_request_review' ? withWebhookState(payload) : payload;
  }
}

/** In webhooks a review's state is in lower case. */
function withWebhookState(payload: Json): Json {
  const review = payload['review'] as Json | undefined;
  return { ...payload, review: { ...review, state: String(review?.['state']).toLowerCase() } };
}
