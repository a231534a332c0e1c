/** What the server counts, for Prometheus. */
import { collectDefaultMetrics, Counter, Gauge, type Registry } from 'prom-client';
import type { Database } from '../../src/store/connection/database.ts';
import { findGitHubWait } from '../../src/store/github/waits.ts';
import { inboxLag } from '../../src/store/intake/inbox.ts';

export interface Metrics {
  readonly webhook: (result: { event: string; result: string }) => void;
  /** Measures, at each scrape, what waits to be handed over. */
  watchInboxes(db: Database): void;
  /** Measures, at each scrape, how many workflows cannot go on. */
  watchTasks(failing: () => number): void;
  /** Measures, at each scrape, for how long GitHub still wants to be left alone. */
  watchGitHub(db: Database): void;
}

export function createMetrics(registry: Registry): Metrics {
  // The event loop's lag is sampled by a timer: at the default of 10 ms it wakes an idle process a hundred times a second.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 250 });
  const requests = new Counter({
    name: 'codexk8s_webhook_requests_total',
    help: 'Webhook deliveries, by event and by what became of them.',
    labelNames: ['event', 'result'],
    registers: [registry],
  });
  return {
    webhook: (labels) => requests.inc(labels),
    watchInboxes(db) {
      let measuring: ReturnType<typeof inboxLag> | undefined;
      // A scrape reads both gauges at the same time, each as it is when its own `collect` is done.
      const measure = (): ReturnType<typeof inboxLag> => {
        measuring ??= inboxLag(db).finally(() => {
          measuring = undefined;
        });
        return measuring;
      };
      const oldest: Gauge = new Gauge({
        name: 'codexk8s_hand_over_lag_seconds',
        help: 'Age of the oldest fact that Temporal does not have yet.',
        registers: [registry],
        collect: async () => {
          const lag = await measure().catch(() => undefined);
          if (lag) oldest.set(lag.oldestSeconds);
        },
      });
      const waiting: Gauge = new Gauge({
        name: 'codexk8s_hand_over_waiting_issues',
        help: 'Issues with facts that Temporal does not have yet.',
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
        help: 'Workflows whose tasks fail and are tried again: they wait for another build.',
        registers: [registry],
        collect: () => gauge.set(failing()),
      });
    },
    watchGitHub(db) {
      const left: Gauge = new Gauge({
        name: 'codexk8s_github_waiting_seconds',
        help: 'How long GitHub still asks to be left alone; 0 when it may be called.',
        registers: [registry],
        collect: async () => {
          const wait = await findGitHubWait(db).catch(() => null);
          if (wait !== null) left.set((wait?.leftMs ?? 0) / 1000);
        },
      });
    },
  };
}
