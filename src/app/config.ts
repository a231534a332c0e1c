/**
 * Configuration: read once, from the environment, checked, frozen. Secrets come from files, and none has a default, so
 * that none is ever seen in a process list or in an environment (docs/operations.md lists all of it).
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';

const secret = (least: number) =>
  z
    .string()
    .transform((path, context) => {
      try {
        return readFileSync(path, 'utf8').trim();
      } catch {
        context.addIssue({ code: 'custom', message: `cannot be read: ${path}` });
        return z.NEVER;
      }
    })
    .pipe(z.string().min(least, `the file holds fewer than ${least} characters`));

const url = z.url().transform((value) => value.replace(/\/+$/, ''));
const port = z.coerce.number().int().min(0).max(65_535);

const Database = z.object({
  /** Holds a password, so a file is the better place: then CODEXK8S_DATABASE_URL_FILE names it instead. */
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }),
});

const Shared = Database.extend({
  CODEXK8S_TEMPORAL_ADDRESS: z.string().default('127.0.0.1:7233'),
  CODEXK8S_TEMPORAL_NAMESPACE: z.string().default('codex-k8s'),
  CODEXK8S_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  /** github.com by default. For another one set both, so that a token never goes to the wrong place. */
  CODEXK8S_GITHUB_URL: url.default('https://github.com'),
  CODEXK8S_GITHUB_API_URL: url.default('https://api.github.com'),
  CODEXK8S_GITHUB_TOKEN_FILE: secret(20),
  CODEXK8S_RUN_TOKEN_KEY_FILE: secret(32),
  /** Where people find the server. */
  CODEXK8S_PUBLIC_URL: url,
  /** Where agents find the server. */
  CODEXK8S_INTERNAL_URL: url,
});

const LOOPBACK = /^(127\.\d+\.\d+\.\d+|localhost|::1)$/;

const Server = Shared.extend({
  CODEXK8S_HOST: z.string().default('127.0.0.1'),
  CODEXK8S_PORT: port.default(8080),
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
  CODEXK8S_AGENT_STALL_SECONDS: z.coerce.number().positive().default(900),
  CODEXK8S_AGENT_RUN_SECONDS: z.coerce.number().positive().default(18_000),
  CODEXK8S_GIT_BOT_USERNAME: z.string().default('codex-bot'),
  CODEXK8S_GIT_BOT_EMAIL: z.string().default('codex-bot@users.noreply.github.com'),
}).refine((config) => config.CODEXK8S_DASHBOARD !== 'open' || LOOPBACK.test(config.CODEXK8S_HOST), {
  path: ['CODEXK8S_DASHBOARD'],
  message: 'open is for a server that listens on loopback only',
});

const Worker = Shared.extend({
  /** The local runtime's directory of environments. */
  CODEXK8S_RUNTIME_DIRECTORY: z.string(),
  CODEXK8S_AGENT_MODEL: z.string().default('gpt-5.5'),
  CODEXK8S_AGENT_REASONING: z.enum(['low', 'medium', 'high', 'xhigh']).default('high'),
  CODEXK8S_ENVIRONMENT_HOURS: z.coerce.number().positive().default(24),
  /** Activities that run at once; each waiting agent holds one. */
  CODEXK8S_WORKER_ACTIVITIES: z.coerce.number().int().positive().default(200),
});

export type ServerConfig = Readonly<z.infer<typeof Server>>;
export type WorkerConfig = Readonly<z.infer<typeof Worker>>;

/** Configuration that cannot be used; the message names every variable that is wrong, and no value. */
export class BadConfiguration extends Error {}

/** The server's configuration. */
export function serverConfig(env: NodeJS.ProcessEnv = process.env): ServerConfig {
  return parse(Server, env);
}

/** The worker's configuration. */
export function workerConfig(env: NodeJS.ProcessEnv = process.env): WorkerConfig {
  return parse(Worker, env);
}

/** The database's address alone, for `migrate`. */
export function databaseUrl(env: NodeJS.ProcessEnv = process.env): string {
  return parse(Database, env).DATABASE_URL;
}

function databaseFromFile(env: NodeJS.ProcessEnv): { DATABASE_URL?: string } {
  const file = env['CODEXK8S_DATABASE_URL_FILE'];
  if (file === undefined) return {};
  try {
    return { DATABASE_URL: readFileSync(file, 'utf8').trim() };
  } catch {
    throw new BadConfiguration(`CODEXK8S_DATABASE_URL_FILE cannot be read: ${file}`);
  }
}

function parse<Schema extends z.ZodType>(schema: Schema, env: NodeJS.ProcessEnv): Readonly<z.infer<Schema>> {
  const parsed = schema.safeParse({ ...env, ...databaseFromFile(env) });
  if (parsed.success) return Object.freeze(parsed.data as object) as Readonly<z.infer<Schema>>;
  const wrong = parsed.error.issues.map(({ path, message }) => `  ${path.join('.')}: ${message}`);
  throw new BadConfiguration(`The configuration is not complete:\n${wrong.join('\n')}\nSee docs/operations.md.`);
}
