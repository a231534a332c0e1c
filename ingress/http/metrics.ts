/** The server's metrics, for Prometheus. */
import { collectDefaultMetrics, Counter, Gauge, type Registry } from 'prom-client';
import type { Database } from '../../src/store/connection/database.ts';
import { findGitHubWait } from '../../src/store/github/waits.ts';
import { inboxLag } from '../../src/store/intake/inbox.ts';
import { cached } from './cached.ts';

/** Milliseconds for which a measurement by SQL is kept: scrapes do not cause more. */
const KEEP_MS = 2000;

export interface Metrics {
  readonly webhook: (result: { event: string; result: string }) => void;
  /** Measures, at scrapes, the facts that wait to be signaled. */
  watchInboxes(db: Database): void;
  /** Measures, at each scrape, the number of workflows whose tasks fail. */
  watchTasks(failing: () => number): void;
  /** Measures, at scrapes, for how long no worker has taken tasks. */
  watchWorkers(absentSince: () => Date | undefined): void;
  /** Measures, at scrapes, the time until GitHub may be called again. */
  watchGitHub(db: Database): void;
}

export function createMetrics(registry: Registry): Metrics {
  // The event loop's lag is sampled by a timer: at the default of 10 ms it wakes an idle process a hundred times a second.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 250 });
  const requests = new Counter({
    name: 'codexk8s_webhook_requests_total',
    help: 'Webhook deliveries, by event and result.',
    labelNames: ['event', 'result'],
    registers: [registry],
  });
  return {
    webhook: (labels) => requests.inc(labels),
    watchInboxes(db) {
      // A scrape collects both gauges at once: they share one query.
      const measure = cached(() => inboxLag(db), KEEP_MS);
      const oldest: Gauge = new Gauge({
        name: 'codexk8s_inbox_lag_seconds',
        help: 'Age of the oldest fact that was not signaled to its workflow yet.',
        registers: [registry],
        collect: async () => {
          const lag = await measure().catch(() => undefined);
          if (lag) oldest.set(lag.oldestSeconds);
        },
      });
      const waiting: Gauge = new Gauge({
        name: 'codexk8s_inbox_waiting_issues',
        help: 'Issues with facts that were not signaled to their workflows yet.',
        registers: [registry],
        collect: async () => {
          const lag = await measure().catch(() => undefined);
          if (lag) waiting.set(lag.waiting);
        },
      });
    },
    watchTasks(failing) {
      const gauge: Gauge = new Gauge({
        name: 'codexk8s_workflow_tasks_failing',
        help: 'Workflows whose workflow tasks fail and are retried, until another build is deployed.',
        registers: [registry],
        collect: () => gauge.set(failing()),
      });
    },
    watchWorkers(absentSince) {
      const absent: Gauge = new Gauge({
        name: 'codexk8s_worker_absent_seconds',
        help: 'Seconds since when no worker takes tasks; 0 while one does.',
        registers: [registry],
        collect: () => {
          const since = absentSince();
          absent.set(since === undefined ? 0 : (Date.now() - since.getTime()) / 1000);
        },
      });
    },
    watchGitHub(db) {
      const find = cached(() => findGitHubWait(db), KEEP_MS);
      const left: Gauge = new Gauge({
        name: 'codexk8s_github_waiting_seconds',
        help: "Seconds until GitHub's rate limit allows calls again; 0 if it does now.",
        registers: [registry],
        collect: async () => {
          const wait = await find().catch(() => null);
          if (wait !== null) left.set((wait?.leftMs ?? 0) / 1000);
        },
      });
    },
  };
}
