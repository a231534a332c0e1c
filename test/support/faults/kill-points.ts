/**
 * Points in the life of server and worker at which a process ends itself with SIGKILL, as if its machine had died there. A
 * point is armed by a file of its name in a directory. The first process that reaches an armed point renames the file to `<point>.fired` and dies; so a point kills once, however often processes are
 * started again.
 *
 *     <activity>:before     the activity begins
 *     <activity>:middle     the first change that it asked for over HTTP was answered, and it does not know yet
 *     <activity>:after      it has done its work, and Temporal does not know yet
 *     relay:before-signal, relay:after-signal
 *     webhook:after-commit  a delivery is kept, and GitHub does not know yet
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import type { Context } from '@temporalio/activity';
import type { ActivityInterceptors } from '@temporalio/worker';
import type { Hono } from 'hono';
import type { IssueWorkflows } from '../../../ingress/relay/issue-signals.ts';
import type { Logger } from '../../../src/app/process/log.ts';

const WEBHOOK_PATH = '/api/v1/webhooks/github';

type Signals = Pick<IssueWorkflows, 'signal'>;

export interface KillPoints {
  /** For `interceptors.activity` of a worker. */
  readonly activity: (context: Pick<Context, 'info'>) => ActivityInterceptors;
  readonly aroundTell: (workflows: Signals) => Signals;
  readonly aroundFetch: (fetch: Hono['fetch']) => Hono['fetch'];
}

/** Says loudly that this process is going to kill itself. */
export function openKillPoints(directory: string, log: Logger): KillPoints {
  log.warn({ directory }, 'this process kills itself where a test asks for it');
  const activities = new AsyncLocalStorage<string>();
  let watching = false;

  function reach(point: string): void {
    try {
      renameSync(join(directory, point), join(directory, `${point}.fired`));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      throw error;
    }
    process.kill(process.pid, 'SIGKILL');
  }

  /** Everything that activities ask of GitHub goes through the global fetch. */
  function watchChanges(): void {
    if (watching) return;
    watching = true;
    const { fetch } = globalThis;
    globalThis.fetch = async (resource, init) => {
      const response = await fetch(resource, init);
      const method = init?.method ?? (resource instanceof Request ? resource.method : 'GET');
      const activity = activities.getStore();
      if (activity !== undefined && method.toUpperCase() !== 'GET') reach(`${activity}:middle`);
      return response;
    };
  }

  return {
    activity({ info: { activityType } }) {
      watchChanges();
      return {
        inbound: {
          async execute(input, next) {
            reach(`${activityType}:before`);
            const result: unknown = await activities.run(activityType, () => next(input));
            reach(`${activityType}:after`);
            return result;
          },
        },
      };
    },
    aroundTell: (workflows) => ({
      async signal(issue, facts) {
        reach('relay:before-signal');
        const signaled = await workflows.signal(issue, facts);
        reach('relay:after-signal');
        return signaled;
      },
    }),
    aroundFetch:
      (fetch) =>
      async (request, ...more) => {
        const response = await fetch(request, ...more);
        if (response.status === 202 && new URL(request.url).pathname === WEBHOOK_PATH) reach('webhook:after-commit');
        return response;
      },
  };
}
