/** What every story needs: a person on GitHub, the platform's API, the read model, and a few things people do. */
import { Client, Connection } from '@temporalio/client';
import postgres from 'postgres';
import type { EventView, IssueDetailsView, LogLineView, RunView } from '../../../ingress/api/views.ts';
import { createPerson } from '../../../src/embedded/demo/person.ts';
import { ApiRefusal, createApiClient } from '../../../src/api-client/api-client.ts';
import { BOT, OWNER } from '../../../src/embedded/accounts.ts';
import { issueOfBranch } from '../../../src/domain/issue/names.ts';
import type { PlannedFaults } from '../../support/faults/program.ts';
import { eventually, startStack, type Stack, type StackEnv } from '../../support/stack.ts';

export interface BoundRepository {
  readonly name: string;
  readonly id: number;
  readonly hookId: number;
}

export type Scene = Awaited<ReturnType<typeof openScene>>;

const README = [{ path: 'README.md', content: '# A small thing\n', executable: false }];

/** Starts a stack, and meets the people on it. */
export async function openScene(env: StackEnv = {}, faults?: PlannedFaults) {
  const stack = await startStack(env, faults);
  return { stack, ...enter(stack) };
}

/** What can be done on a stack. Addresses stay when `up` starts again, those of the database need not. */
export function enter(stack: Stack) {
  const { ready } = stack;
  const person = createPerson({ githubUrl: ready.githubUrl, login: OWNER, token: ready.githubOwnerToken });
  const platform = createApiClient({ url: ready.url, staffToken: stack.secret('staff-token') });
  const sql = postgres(ready.databaseUrl, { max: 2, onnotice: () => {} });
  const at = (repo: string) => ({ owner: OWNER, repo });

  async function issueOf(repo: string, issue: number): Promise<IssueDetailsView | undefined> {
    return platform.issue({ owner: OWNER, name: repo, number: issue }).catch((error: unknown) => {
      if (error instanceof ApiRefusal && error.status === 404) return undefined;
      throw error;
    });
  }

  /** The runs of an issue, oldest first. */
  async function runsOf(repo: string, issue: number): Promise<RunView[]> {
    const shown = await issueOf(repo, issue);
    return (shown?.runs ?? []).toSorted((one, other) => one.createdAt.localeCompare(other.createdAt));
  }

  async function run(id: string): Promise<RunView> {
    return platform.run(id);
  }

  async function log(id: string): Promise<LogLineView[]> {
    const lines: LogLineView[] = [];
    for (let after = -1; ;) {
      const page = await platform.runLog(id, { after });
      lines.push(...page.items);
      ({ after } = page);
      if (!page.more) return lines;
    }
  }

  /** How a workflow ended, as Temporal calls it: waits until it did. */
  async function closedAs(workflowId: string): Promise<string> {
    const connection = await Connection.connect({ address: ready.temporalAddress });
    try {
      const { workflow } = new Client({ connection, namespace: 'codex-k8s' });
      return await eventually(`the end of ${workflowId}`, async () => {
        const { status } = await workflow.getHandle(workflowId).describe();
        return status.name !== 'RUNNING' && status.name;
      });
    } finally {
      await connection.close();
    }
  }

  return {
    person,
    platform,
    sql,
    issueOf,
    runsOf,
    run,
    log,
    closedAs,

    /** A repository with files in it that the platform is bound to. */
    async bindRepository(name: string, files = README): Promise<BoundRepository> {
      await person.pushRepository(name, 'for a test', files);
      await person.addCollaborator(name, BOT);
      const bound = await platform.bindRepository({ fullName: `${OWNER}/${name}` });
      return { name, id: bound.repositoryId, hookId: bound.hookId ?? 0 };
    },

    async events(id: string): Promise<readonly EventView[]> {
      return (await platform.runEvents(id, { limit: 200 })).items;
    },

    /** Waits for the issue's run of this place, counted from 0. */
    async started(repo: string, issue: number, place = 0): Promise<RunView> {
      return eventually(`run ${place} of ${repo}#${issue}`, async () => (await runsOf(repo, issue))[place]);
    },

    /** Waits until a run is over and the issue's workflow has drawn its conclusions. */
    async ended(repo: string, issue: number, place = 0): Promise<RunView> {
      return eventually(`the end of run ${place} of ${repo}#${issue}`, async () => {
        const shown = await issueOf(repo, issue);
        const found = (await runsOf(repo, issue))[place];
        return found?.terminal && shown?.activeRunId !== found.id ? found : undefined;
      });
    },

    /** Waits until the agent of a run runs a command whose line matches. */
    async working(id: string, command: RegExp): Promise<void> {
      await eventually(`the agent of ${id} runs ${command}`, async () => {
        const { terminal, status, failureText, detail } = await run(id);
        if (terminal) throw new Error(`run ${id} is over before: ${status} ${failureText} ${detail}`);
        return (await log(id)).some(({ kind, text }) => kind === 'command' && command.test(text));
      });
    },

    /** The comments, when one of them says this: a comment is written once in two seconds, so its last words come a little later. */
    async commentsSaying(repo: string, number: number, text: string) {
      return eventually(`a comment on ${repo}#${number} says: ${text}`, async () => {
        const comments = await this.commentsOn(repo, number);
        return comments.some(({ body }) => body.includes(text)) && comments;
      });
    },

    async commentsOn(repo: string, number: number) {
      const { data } = await person.octokit.rest.issues.listComments({
        ...at(repo),
        issue_number: number,
        per_page: 100,
      });
      return data.map(({ id, body, user, updated_at: updatedAt }) => ({
        id,
        body: body ?? '',
        author: user?.login ?? '',
        updatedAt,
      }));
    },

    /** Waits until an issue or pull request carries these labels and no others: they are moved when a run is over. */
    async expectLabels(repo: string, number: number, labels: readonly string[]): Promise<void> {
      const wanted = [...labels].toSorted().join(' ');
      await eventually(`${repo}#${number} carries: ${wanted || 'nothing'}`, async () => {
        const carried = await person.labels(repo, number);
        return carried.toSorted().join(' ') === wanted;
      });
    },

    /** The pull requests of an issue's branch, open or not. */
    async pullRequestsOf(repo: string, issue: number) {
      const all = { ...at(repo), state: 'all' as const, per_page: 100 };
      const pulls = await person.octokit.paginate(person.octokit.rest.pulls.list, all);
      return pulls.filter(({ head }) => issueOfBranch(head.ref) === issue);
    },

    async close(): Promise<void> {
      await sql.end({ timeout: 1 });
    },
  };
}

/** Ends a scene, whatever became of it. */
export async function closeScene(scene: Scene | undefined): Promise<void> {
  await scene?.close().catch(() => undefined);
  await scene?.stack.destroy();
}

/** The hidden line of a run's status comment. */
export function marked(runId: string): string {
  return `<!-- codex-k8s:run-status ${runId} -->`;
}
