/** Settings that server and worker both read, and that must be the same for both. */
import { z } from 'zod';
import { DatabaseSettings } from './database-config.ts';
import { duration, labels, list, policy, secret, url } from './schemas.ts';
import { TemporalSettings } from './temporal-config.ts';

const writes = z.coerce.number().int().nonnegative().max(10_000);

export const SharedSettings = DatabaseSettings.extend(TemporalSettings.shape).extend({
  CODEXK8S_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  /** GitHub's REST API; for another GitHub than github.com set CODEXK8S_GITHUB_URL too, so that no token goes to the wrong host. */
  CODEXK8S_GITHUB_API_URL: url.default('https://api.github.com'),
  CODEXK8S_GITHUB_TOKEN_FILE: secret(20),
  /** What may be created on GitHub, comments and labels for example; 0 for a GitHub without such limits. */
  CODEXK8S_GITHUB_WRITES_PER_MINUTE: writes.default(80),
  CODEXK8S_GITHUB_WRITES_PER_HOUR: writes.default(500),
  CODEXK8S_RUN_TOKEN_KEY_FILE: secret(32),
  /** An administrator's address of the Postgres that databases of projects are on; without it there are none. */
  CODEXK8S_PROJECT_DATABASES_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  /** Environments in which agents may have databases created and deleted; separated by commas. */
  CODEXK8S_PROJECT_DB_LIFECYCLE_ALLOWED_ENVS: list.default(['dev', 'production', 'prod']),
  /** JSON: names on GitHub by canonical name, `{"run:dev": "agent:dev"}`; what is not named is called as docs/labels.md says. */
  CODEXK8S_LABELS_FILE: labels,
  /** JSON or YAML: which tool calls need whose approval (docs/approvals.md); without it, the policy of codex-k8s. */
  CODEXK8S_POLICY_FILE: policy,
  /** Where people find the server. */
  CODEXK8S_PUBLIC_URL: url,
  /** Where the worker finds the server, and agents too unless CODEXK8S_AGENT_URL says otherwise. */
  CODEXK8S_INTERNAL_URL: url,
  /** Where agents find the server's gateways: as seen from their pods. */
  CODEXK8S_AGENT_URL: url.optional(),
  /** Seconds that a run may take; its Job gets half an hour more. */
  CODEXK8S_AGENT_RUN_SECONDS: duration.default(18_000),
  /** The platform's account on GitHub: what it does there asks nobody for a run. */
  CODEXK8S_GIT_BOT_USERNAME: z.string().default('codex-bot'),
});

/** Limits of writes to GitHub's API, as the budget takes them. */
export function writeLimits(config: z.infer<typeof SharedSettings>): { perMinute: number; perHour: number } {
  return {
    perMinute: config.CODEXK8S_GITHUB_WRITES_PER_MINUTE,
    perHour: config.CODEXK8S_GITHUB_WRITES_PER_HOUR,
  };
}
