/** What binding a repository needs: its identity, its webhook, the labels, and people by login. */
import type { Octokit } from '@octokit/rest';
import type { WebhookEventName } from '@octokit/webhooks/types';
import { isNotFound } from './client.ts';

/** What the platform listens to (requirements.md W7). */
const EVENTS = ['issues', 'issue_comment', 'pull_request', 'pull_request_review', 'push'] satisfies WebhookEventName[];

export function createRepositories(octokit: Octokit) {
  return {
    /** A repository by name, or undefined when there is none that this token can see. */
    async findRepository(owner: string, name: string) {
      try {
        const { data } = await octokit.rest.repos.get({ owner, repo: name });
        return { id: data.id, owner: data.owner.login, name: data.name, defaultBranch: data.default_branch };
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
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

    /** Creates a label unless it is there. */
    async ensureLabel(
      owner: string,
      name: string,
      label: { name: string; color: string; description: string },
    ): Promise<void> {
      await octokit.rest.issues.createLabel({ owner, repo: name, ...label }).catch((error: unknown) => {
        if ((error as { status?: number }).status !== 422) throw error;
      });
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
