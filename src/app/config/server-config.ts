/** Settings of the server: those here, and those of shared-config.ts. */
import { z } from 'zod';
import { isLoopback } from '../../network/loopback.ts';
import { readConfig } from './read-config.ts';
import { budget, prices } from './money.ts';
import { certificate, duration, pathOf, port, privateKey, secret, url } from './schemas.ts';
import { SharedSettings } from './shared-config.ts';
import { checkTemporal } from './temporal-config.ts';

export const ServerSettings = SharedSettings.extend({
  /** GitHub's pages and git, as CODEXK8S_GITHUB_API_URL is its API. */
  CODEXK8S_GITHUB_URL: url.default('https://github.com'),
  CODEXK8S_HOST: z.string().default('127.0.0.1'),
  CODEXK8S_PORT: port.default(8080),
  /** A listener for agents alone: nothing but their gateways is there, and they are nowhere else. Both or none. */
  CODEXK8S_GATEWAYS_HOST: z.string().optional(),
  CODEXK8S_GATEWAYS_PORT: port.optional(),
  /** The certificate, with those that lead to its authority, and the key of that listener, for TLS; read again when they change. Both or none. */
  CODEXK8S_GATEWAYS_TLS_CERT_FILE: pathOf(certificate).optional(),
  CODEXK8S_GATEWAYS_TLS_KEY_FILE: pathOf(privateKey).optional(),
  /** A listener for Prometheus and probes: /metrics and /readyz are there, and not on CODEXK8S_PORT. Both or none. */
  CODEXK8S_METRICS_HOST: z.string().optional(),
  CODEXK8S_METRICS_PORT: port.optional(),
  /** One secret a line, the newest first: several at once while one is rotated. */
  CODEXK8S_WEBHOOK_SECRETS_FILE: secret(16).transform((text) =>
    text
      .split('\n')
      .map((line) => line.trim())
      .filter(Boolean),
  ),
  CODEXK8S_STAFF_TOKEN_FILE: secret(20),
  /** `open`: pages and reads need no token; for a server that listens on loopback only. */
  CODEXK8S_DASHBOARD: z.enum(['open', 'token']).default('token'),
  CODEXK8S_TEMPORAL_UI_URL: url.optional(),
  CODEXK8S_MODEL_URL: url.default('https://api.openai.com/v1'),
  CODEXK8S_MODEL_KEY_FILE: secret(1),
  CODEXK8S_ANTHROPIC_URL: url.default('https://api.anthropic.com/v1'),
  /** Without a key there is no Anthropic for agents. */
  CODEXK8S_ANTHROPIC_KEY_FILE: secret(1).optional(),
  /** US dollars that a run, an issue, a project in a day (UTC) and all of them in a day may spend on models; unset: no limit. */
  CODEXK8S_BUDGET_RUN_USD: budget,
  CODEXK8S_BUDGET_ISSUE_USD: budget,
  CODEXK8S_BUDGET_PROJECT_DAY_USD: budget,
  CODEXK8S_BUDGET_DAY_USD: budget,
  /** `shadow`: calls are counted, and none is refused. */
  CODEXK8S_BUDGET_MODE: z.enum(['enforce', 'shadow']).default('enforce'),
  /** JSON: prices by model, which go before those of the platform; `*` is every model that has none. */
  CODEXK8S_MODEL_PRICES_FILE: prices,
  /** The most tokens of one answer of a model. */
  CODEXK8S_MODEL_OUTPUT_TOKENS: z.coerce.number().int().min(2048).max(1_000_000).default(64_000),
  CODEXK8S_AGENT_STALL_SECONDS: duration.default(900),
  CODEXK8S_GIT_BOT_EMAIL: z.string().default('codex-bot@users.noreply.github.com'),
})
  .refine(
    (config) =>
      config.CODEXK8S_DASHBOARD !== 'open' || config.CODEXK8S_HOST === 'localhost' || isLoopback(config.CODEXK8S_HOST),
    {
      path: ['CODEXK8S_DASHBOARD'],
      message: 'open is for a server that listens on loopback only',
    },
  )
  .refine((config) => (config.CODEXK8S_GATEWAYS_HOST === undefined) === (config.CODEXK8S_GATEWAYS_PORT === undefined), {
    path: ['CODEXK8S_GATEWAYS_PORT'],
    message: 'goes with CODEXK8S_GATEWAYS_HOST: set both or none',
  })
  .refine((config) => config.CODEXK8S_GATEWAYS_HOST === undefined || config.CODEXK8S_AGENT_URL !== undefined, {
    path: ['CODEXK8S_AGENT_URL'],
    message: 'is needed by CODEXK8S_GATEWAYS_HOST: the listener of CODEXK8S_INTERNAL_URL then has no gateways',
  })
  .refine((config) => (config.CODEXK8S_METRICS_HOST === undefined) === (config.CODEXK8S_METRICS_PORT === undefined), {
    path: ['CODEXK8S_METRICS_PORT'],
    message: 'goes with CODEXK8S_METRICS_HOST: set both or none',
  })
  .superRefine(checkTemporal)
  .superRefine((config, context) => {
    const { CODEXK8S_GATEWAYS_TLS_CERT_FILE: certificateFile, CODEXK8S_GATEWAYS_TLS_KEY_FILE: keyFile } = config;
    if (certificateFile === undefined && keyFile === undefined) return;
    const problem = (setting: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [setting], message });
    if (certificateFile === undefined || keyFile === undefined)
      problem('CODEXK8S_GATEWAYS_TLS_KEY_FILE', 'goes with CODEXK8S_GATEWAYS_TLS_CERT_FILE: set both or none');
    if (config.CODEXK8S_GATEWAYS_HOST === undefined)
      problem('CODEXK8S_GATEWAYS_HOST', 'is needed by CODEXK8S_GATEWAYS_TLS_CERT_FILE: the public listener has no TLS');
    if (!(config.CODEXK8S_AGENT_URL ?? config.CODEXK8S_INTERNAL_URL).startsWith('https:'))
      problem('CODEXK8S_AGENT_URL', 'must begin with https:, as the gateways have TLS');
  });

export type ServerConfig = Readonly<z.infer<typeof ServerSettings>>;

/** The server's configuration; throws a `BadConfiguration`. */
export function serverConfig(env: NodeJS.ProcessEnv = process.env): ServerConfig {
  return readConfig(ServerSettings, env);
}
