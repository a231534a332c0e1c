/** Requests for binding a repository: its identity, webhook and labels, and accounts by login. */
import type { Octokit } from '@octokit/rest';
import type { WebhookEventName } from '@octokit/webhooks/types';
import { normalizeLabel } from '../../domain/stages/stages.ts';
import { isNotFound } from './client.ts';
import { GitHubAsksToWait } from './waits.ts';

/** What the platform listens to. */
const EVENTS = [
  'issues',
  'issue_comment',
  'label',
  'pull_request',
  'pull_request_review',
  'push',
  'repository',
] satisfies WebhookEventName[];

/** How a label looks. */
interface LabelLook {
  readonly name: string;
  readonly color: string;
  readonly description: string;
}

type Change = 'created' | 'updated' | 'unchanged';

/** What was done to the labels of a repository, by name. */
interface LabelChanges {
  readonly created: readonly string[];
  readonly updated: readonly string[];
  readonly unchanged: readonly string[];
  /** What GitHub did not let be written now, and its words; null when nothing is left. */
  readonly left: readonly string[];
  readonly waiting: string | null;
}

export function createRepositories(octokit: Octokit) {
  /** Brings one label up to date; another one may have been created meanwhile by somebody else. */
  async function ensureLabel(
    repository: { owner: string; repo: string },
    { name, color, description }: LabelLook,
    present: { readonly name: string; readonly color: string; readonly description: string | null } | undefined,
  ): Promise<Change> {
    if (present?.color.toLowerCase() === color && present.description === description) return 'unchanged';
    if (present) {
      await octokit.rest.issues.updateLabel({ ...repository, name: present.name, color, description });
      return 'updated';
    }
    try {
      await octokit.rest.issues.createLabel({ ...repository, name, color, description });
      return 'created';
    } catch (error) {
      const { status, response } = error as { status?: number; response?: { data?: unknown } };
      if (status === 422 && JSON.stringify(response?.data ?? '').includes('already_exists')) return 'unchanged';
      throw error;
    }
  }

  return {
    async findRepository(owner: string, name: string) {
      const { data } = await octokit.rest.repos.get({ owner, repo: name });
      return { id: data.id, owner: data.owner.login, name: data.name, defaultBranch: data.default_branch };
    },

    /** Creates the webhook, or brings the one that points here up to date; returns its id. */
    async ensureWebhook(
      owner: string,
      name: string,
      { url, secret }: { url: string; secret: string },
    ): Promise<number> {
      const repository = { owner, repo: name };
      const config = { url, secret, content_type: 'json', insecure_ssl: '0' };
      const hooks = await octokit.paginate(octokit.rest.repos.listWebhooks, { ...repository, per_page: 100 });
      const present = hooks.find((hook) => hook.config.url === url);
      const { data } = present
        ? await octokit.rest.repos.updateWebhook({
            ...repository,
            hook_id: present.id,
            config,
            events: EVENTS,
            active: true,
          })
        : await octokit.rest.repos.createWebhook({ ...repository, config, events: EVENTS, active: true });
      return data.id;
    },

    /**
     * Creates the labels that are missing, and gives those that are there their colour and description; deletes none. They are
     * listed once and only what differs is written. When GitHub asks to wait, the rest is left to a repeat.
     */
    async ensureLabels(owner: string, name: string, labels: readonly LabelLook[]): Promise<LabelChanges> {
      const repository = { owner, repo: name };
      const listed = await octokit.paginate(octokit.rest.issues.listLabelsForRepo, { ...repository, per_page: 100 });
      const present = new Map(listed.map((label) => [normalizeLabel(label.name), label]));
      const changes: Record<Change | 'left', string[]> = { created: [], updated: [], unchanged: [], left: [] };
      let waiting: string | null = null;
      for (const label of labels) {
        if (waiting !== null) {
          changes.left.push(label.name);
          continue;
        }
        try {
          const change = await ensureLabel(repository, label, present.get(normalizeLabel(label.name)));
          changes[change].push(label.name);
        } catch (error) {
          if (!(error instanceof GitHubAsksToWait)) throw error;
          waiting = error.message;
          changes.left.push(label.name);
        }
      }
      return { ...changes, waiting };
    },

    /** The ids of a repository's labels, by name. */
    async readLabelIds(owner: string, name: string): Promise<{ name: string; id: number }[]> {
      const listed = await octokit.paginate(octokit.rest.issues.listLabelsForRepo, {
        owner,
        repo: name,
        per_page: 100,
      });
      return listed.map((label) => ({ name: normalizeLabel(label.name), id: label.id }));
    },

    /** A person by login, or undefined. */
    async findPerson(login: string): Promise<{ id: number; login: string } | undefined> {
      try {
        const { data } = await octokit.rest.users.getByUsername({ username: login });
        return { id: data.id, login: data.login };
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
    },
  };
}
