/** Turns events of repositories into webhook deliveries. */
import { randomUUID } from 'node:crypto';
import type { EmulateWebhooks } from '../emulate.ts';
import type { HookRow, RepoRow, Rows, UserRow } from '../rows.ts';
import type { Database } from '../store/database.ts';
import type { DeliverySender } from './sender.ts';
import type { Delivery, DeliveryLog, NewDelivery } from './deliveries.ts';
import { asDelivered, asDocumented } from '../corrections.ts';
import type { Json, Presenter } from './payload.ts';

/** One event. Objects of its payload are read when the change that caused it is complete. */
export interface EmulatorEvent {
  event: string;
  action?: string;
  repo: RepoRow;
  sender: UserRow;
  issue?: number;
  pull?: number;
  label?: string;
  /** API paths below the repository whose responses are put into the payload, by their names in it. */
  read?: Record<string, string>;
  extra?: Json;
  /** Only for this hook: a ping or a test. */
  hook?: HookRow;
}

/** Events of emulate that are dropped, since moved refs emit fuller ones. */
const SENT_BY_REF_CHANGES = new Set(['push', 'create', 'delete']);

/** Collects the events of a change, then records one delivery for each hook that subscribes to them. */
export class EventQueue implements EmulateWebhooks {
  readonly #rows: Rows;
  readonly #database: Database;
  readonly #log: DeliveryLog;
  readonly #sender: DeliverySender;
  #presenter: Presenter | undefined;
  #pending: EmulatorEvent[] = [];

  constructor(rows: Rows, database: Database, log: DeliveryLog, sender: DeliverySender) {
    this.#rows = rows;
    this.#database = database;
    this.#log = log;
    this.#sender = sender;
  }

  /** Sets the presenter, which reads through emulate's routes and therefore is created after this queue. */
  present(presenter: Presenter): void {
    this.#presenter = presenter;
  }

  get dirty(): boolean {
    return this.#pending.length > 0;
  }

  emit(event: EmulatorEvent): void {
    this.#pending.push(event);
  }

  /** Adds fields to the payloads of the current change's events. */
  amend(name: string, extra: Json): void {
    this.#pending = this.#pending.map((event) =>
      event.event === name ? { ...event, extra: { ...event.extra, ...extra } } : event,
    );
  }

  /** Adds an event of emulate's own routes, with GitHub's name and payload in place of emulate's. */
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
    if (!repo || !account || SENT_BY_REF_CHANGES.has(event)) return;
    const show = this.#show();
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
      ...(event !== 'label' && { extra: asDocumented(extra, show.baseUrl) as Json }),
    });
  }

  /** Writes the change and its deliveries in one transaction, then queues the deliveries for sending. */
  async settle(): Promise<void> {
    const events = this.#pending;
    this.#pending = [];
    for (const event of events) this.#touch(event);
    const drafts: NewDelivery[] = [];
    for (const event of events) drafts.push(...(await this.#draft(event)));
    this.#sender.enqueue(this.#database.commit(() => drafts.map((draft) => this.#log.add(draft))));
  }

  /** Records a redelivery, with the GUID and body of the delivery. */
  redeliver(delivery: Delivery): void {
    const again = { ...delivery, redelivery: true };
    this.#sender.enqueue([this.#database.commit(() => this.#log.add(again))]);
  }

  /** Sets `updated_at` of a pull request and of its issue after any event of it. */
  #touch({ repo, pull }: EmulatorEvent): void {
    if (pull === undefined) return;
    for (const rows of [this.#rows.pullRequests, this.#rows.issues]) {
      const row = rows.findBy('repo_id', repo.id).find(({ number }) => number === pull);
      if (row) rows.update(row.id, {});
    }
  }

  async #draft(event: EmulatorEvent): Promise<NewDelivery[]> {
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

  #show(): Presenter {
    if (!this.#presenter) throw new Error('EventQueue used before EventQueue.present');
    return this.#presenter;
  }

  #hooksFor({ event, repo }: EmulatorEvent): HookRow[] {
    const ofOwner = repo.owner_type === 'Organization' ? this.#rows.webhooks.findBy('org_id', repo.owner_id) : [];
    const hooks = [...this.#rows.webhooks.findBy('repo_id', repo.id), ...ofOwner];
    return hooks.filter((hook) => hook.active && (hook.events.includes('*') || hook.events.includes(event)));
  }

  async #payload(event: EmulatorEvent): Promise<Json> {
    const show = this.#show();
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
    return asDelivered(event.event, payload);
  }
}
