/**
 * Wrappers around the clients of a process: for metrics, traces and, in tests, faults (test/support/faults). By default there
 * are none.
 */
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import type { Hono } from 'hono';
import type postgres from 'postgres';
import type { IssueWorkflows } from '../../../ingress/relay/issue-signals.ts';

type Wrapper = <Port extends object>(port: Port) => Port;

interface SharedWrappers {
  /** Around the driver of the pool with this name. */
  readonly postgres?: (pool: string) => (sql: postgres.Sql) => postgres.Sql;
  readonly github?: Wrapper;
  /** Around the ports that start, signal, update and query workflows. */
  readonly workflows?: Wrapper;
}

export interface ServerWrappers extends SharedWrappers {
  /** Around the server's HTTP handler. */
  readonly fetch?: (fetch: Hono['fetch']) => Hono['fetch'];
  /** Around the inbox relay's port to workflows. */
  readonly relay?: (workflows: Pick<IssueWorkflows, 'signal'>) => Pick<IssueWorkflows, 'signal'>;
}

export interface WorkerWrappers extends SharedWrappers {
  readonly runtime?: Wrapper;
  /** Around what performs approved tool calls. */
  readonly performer?: Wrapper;
  readonly activities?: readonly ActivityInterceptorsFactory[];
}
