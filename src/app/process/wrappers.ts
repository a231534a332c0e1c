/**
 * What may be put around the parts with which a process reaches others: for counting, tracing and, in tests, faults
 * (test/support/faults). A process is started without any unless its caller gives some.
 */
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import type { Hono } from 'hono';
import type postgres from 'postgres';
import type { IssueWorkflows } from '../../../ingress/relay/issue-signals.ts';

type Wrapper = <Port extends object>(port: Port) => Port;

interface SharedWrappers {
  /** Around the driver of the pool of this name. */
  readonly postgres?: (pool: string) => (sql: postgres.Sql) => postgres.Sql;
  readonly github?: Wrapper;
  /** Around what starts, signals and asks workflows. */
  readonly workflows?: Wrapper;
}

export interface ServerWrappers extends SharedWrappers {
  /** Around everything that the server answers over HTTP. */
  readonly fetch?: (fetch: Hono['fetch']) => Hono['fetch'];
  /** Around the workflows, for the inbox relay alone. */
  readonly relay?: (workflows: Pick<IssueWorkflows, 'signal'>) => Pick<IssueWorkflows, 'signal'>;
}

export interface WorkerWrappers extends SharedWrappers {
  readonly runtime?: Wrapper;
  readonly activities?: readonly ActivityInterceptorsFactory[];
}
