/** What the server counts, for Prometheus (requirements.md W10). */
import { collectDefaultMetrics, Counter, Gauge, type Registry } from 'prom-client';
import type { Database } from '../read-model/database.ts';
import { handOverLag } from '../read-model/inbox.ts';

export interface Metrics {
  readonly webhook: (result: { event: string; result: string }) => void;
  /** Measures, at each scrape, what waits to be handed over. */
  watchInboxes(db: Database): void;
}

export function createMetrics(registry: Registry): Metrics {
  collectDefaultMetrics({ register: registry });
  const requests = new Counter({
    name: 'codexk8s_webhook_requests_total',
    help: 'Webhook deliveries, by event and by what became of them.',
    labelNames: ['event', 'result'],
    registers: [registry],
  });
  return {
    webhook: (labels) => requests.inc(labels),
    watchInboxes(db) {
      const oldest = new Gauge({
        name: 'codexk8s_hand_over_lag_seconds',
        help: 'Age of the oldest fact that Temporal does not have yet.',
        registers: [registry],
      });
      const waiting: Gauge = new Gauge({
        name: 'codexk8s_hand_over_waiting_issues',
        help: 'Issues with facts that Temporal does not have yet.',
        registers: [registry],
        collect: async () => {
          const lag = await handOverLag(db).catch(() => undefined);
          if (!lag) return;
          waiting.set(lag.waiting);
          oldest.set(lag.oldestSeconds);
        },
      });
    },
  };
}
