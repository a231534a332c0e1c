/** Settings of the server: those here, and those of shared-config.ts. */
import { z } from 'zod';
import { isLoopback } from '../../network/loopback.ts';
import { readConfig } from './read-config.ts';
import { duration, port, secret, url } from './schemas.ts';
import { SharedSettings } from './shared-config.ts';

export const ServerSettings = SharedSettings.extend({
  /** GitHub's pages and git, as CODEXK8S_GITHUB_API_URL is its API. */
  CODEXK8S_GITHUB_URL: url.default('https://github.com'),
  CODEXK8S_HOST: z.string().default('127.0.0.1'),
  CODEXK8S_PORT: port.default(8080),
  /** A second listener, for agents alone: nothing but their gateways is there. Both or none. */
  CODEXK8S_GATEWAYS_HOST: z.string().optional(),
  CODEXK8S_GATEWAYS_PORT: port.optional(),
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
  .refine((config) => (config.CODEXK8S_METRICS_HOST === undefined) === (config.CODEXK8S_METRICS_PORT === undefined), {
    path: ['CODEXK8S_METRICS_PORT'],
    message: 'goes with CODEXK8S_METRICS_HOST: set both or none',
  });

export type ServerConfig = Readonly<z.infer<typeof ServerSettings>>;

/** The server's configuration; throws a `BadConfiguration`. */
export function serverConfig(env: NodeJS.ProcessEnv = process.env): ServerConfig {
  return readConfig(ServerSettings, env);
}
