/**
 * Configuration: read once, from the environment, checked, frozen. Secrets come from files, and none has a default, so
 * that none is ever seen in a process list or in an environment (docs/operations.md lists all of it).
 */
import { readFileSync, statSync } from 'node:fs';
import { z } from 'zod';
import { readBlocks } from '../../network/address-blocks.ts';
import { isLoopback } from '../../network/loopback.ts';
import { WAIT_HOURS } from '../../domain/run/waits.ts';
import { RUN_LIMITS, type RunLimits } from '../../domain/run/permits.ts';
import { CANONICAL_NAMES } from '../../domain/stages/label-names.ts';
import { readLabelsFile } from './labels-file.ts';
import { readWorkspaceHours, type WorkspaceHours } from './workspace-hours.ts';
import { readRunLimits } from './run-limits.ts';

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
const seconds = z.coerce.number().int().positive();
const writes = z.coerce.number().int().nonnegative().max(10_000);

const directory = z
  .string()
  .refine((path) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true, 'is not a directory');

const runLimits = z.string().transform((text, context): RunLimits => {
  const limits = readRunLimits(text);
  if (!('problem' in limits)) return limits;
  context.addIssue({ code: 'custom', message: limits.problem });
  return z.NEVER;
});

/** A file of the names that this installation gives to labels. */
const labels = z
  .string()
  .transform((path, context) => {
    const chosen = readLabelsFile(path);
    if ('names' in chosen) return chosen.names;
    for (const message of chosen.problems) context.addIssue({ code: 'custom', message });
    return z.NEVER;
  })
  .optional()
  .transform((names) => names ?? CANONICAL_NAMES);

const DATABASE_URL_FILE = 'CODEXK8S_DATABASE_URL_FILE';

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
  /** What may be created on GitHub, comments and labels for example; 0 for a GitHub without such limits. */
  CODEXK8S_GITHUB_WRITES_PER_MINUTE: writes.default(80),
  CODEXK8S_GITHUB_WRITES_PER_HOUR: writes.default(500),
  CODEXK8S_RUN_TOKEN_KEY_FILE: secret(32),
  /** JSON: names on GitHub by canonical name, `{"run:dev": "agent:dev"}`; what is not named is called as docs/labels.md says. */
  CODEXK8S_LABELS_FILE: labels,
  /** Where people find the server. */
  CODEXK8S_PUBLIC_URL: url,
  /** Where the worker finds the server, and agents too unless CODEXK8S_AGENT_URL says otherwise. */
  CODEXK8S_INTERNAL_URL: url,
  /** Where agents find the server's gateways: as seen from their pods. */
  CODEXK8S_AGENT_URL: url.optional(),
  /** The platform's account on GitHub: what it does there asks nobody for a run. */
  CODEXK8S_GIT_BOT_USERNAME: z.string().default('codex-bot'),
});

const Server = Shared.extend({
  CODEXK8S_HOST: z.string().default('127.0.0.1'),
  CODEXK8S_PORT: port.default(8080),
  /** A second listener, for agents alone: nothing but their gateways is there. Both or none. */
  CODEXK8S_GATEWAYS_HOST: z.string().optional(),
  CODEXK8S_GATEWAYS_PORT: port.optional(),
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
  });

/** A program and its arguments, as JSON: `["node", "/opt/agent.js"]`. */
const command = z.string().transform((text, context) => {
  const parsed = z.tuple([z.string().min(1)], z.string()).safeParse(jsonOf(text));
  if (parsed.success) return parsed.data;
  context.addIssue({ code: 'custom', message: 'is not a JSON array of a program and its arguments' });
  return z.NEVER;
});

const hours = z.string().transform((text, context): WorkspaceHours => {
  const found = readWorkspaceHours(text);
  if (!('problem' in found)) return found;
  context.addIssue({ code: 'custom', message: found.problem });
  return z.NEVER;
});

/** Kubernetes' spelling of an amount. */
const quantity = z
  .string()
  .regex(/^\d+(\.\d+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$/, 'is not a Kubernetes quantity, like 500m or 4Gi');

const list = z.string().transform((text) =>
  text
    .split(',')
    .map((entry) => entry.trim())
    .filter(Boolean),
);

const blocks = list.transform((entries, context): readonly string[] => {
  const read = readBlocks(entries);
  if ('blocks' in read) return read.blocks;
  context.addIssue({ code: 'custom', message: read.problem });
  return z.NEVER;
});

const Worker = Shared.extend({
  /** `local`: agents are processes beside the worker. `kubernetes`: Jobs, in a namespace for each issue. */
  CODEXK8S_RUNTIME: z.enum(['local', 'kubernetes']).default('local'),
  /** A file of bundled workflows, made from this very source (deploy/write-workflow-bundle.ts); else they are bundled at the start. */
  CODEXK8S_WORKFLOW_BUNDLE: z
    .string()
    .refine((path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true, 'is not a file')
    .optional(),
  /** A directory for two files that a kubelet's probes look at (src/app/worker/probe-files.ts). */
  CODEXK8S_PROBE_DIRECTORY: directory.optional(),
  /** The local runtime's directory of workspaces. */
  CODEXK8S_RUNTIME_DIRECTORY: z.string().optional(),
  /** The kubeconfig of the cluster for agents; inside a cluster, that cluster unless told. */
  CODEXK8S_KUBECONFIG: z.string().optional(),
  /** The image of `deploy/images/Dockerfile`, target `agent`. */
  CODEXK8S_AGENT_IMAGE: z.string().min(1).optional(),
  /** What an agent's pod asks of its node, and the most it may use. */
  CODEXK8S_AGENT_CPU_REQUEST: quantity.default('250m'),
  CODEXK8S_AGENT_MEMORY_REQUEST: quantity.default('512Mi'),
  CODEXK8S_AGENT_DISK_REQUEST: quantity.default('0'),
  CODEXK8S_AGENT_CPU: quantity.default('2'),
  CODEXK8S_AGENT_MEMORY: quantity.default('4Gi'),
  CODEXK8S_AGENT_DISK: quantity.default('8Gi'),
  /** CIDRs and addresses that agents of every project may reach besides the platform, TCP 80 and 443; separated by commas. */
  CODEXK8S_AGENT_EGRESS: blocks.default([]),
  /** Seconds that a run may take; its Job gets half an hour more. */
  CODEXK8S_AGENT_RUN_SECONDS: z.coerce.number().positive().default(18_000),
  CODEXK8S_AGENT_MODEL: z.string().default('gpt-5.5'),
  /** What the local runtime starts as an agent; this program's own agent unless told. Tests and benchmarks set it. */
  CODEXK8S_AGENT_COMMAND: command.optional(),
  CODEXK8S_AGENT_REASONING: z.enum(['low', 'medium', 'high', 'xhigh']).default('high'),
  /** How long a workspace is kept after a run began: `24`, or `24,qa=48` with hours of their own for roles. */
  CODEXK8S_WORKSPACE_HOURS: hours.default({ all: 24, byRole: {} }),
  /** Hours that a run waits for an answer to its agent's question, and for an operator to resume it. */
  CODEXK8S_QUESTION_HOURS: z.coerce.number().positive().default(WAIT_HOURS.question),
  CODEXK8S_PAUSE_HOURS: z.coerce.number().positive().default(WAIT_HOURS.paused),
  /** Agents are started even on a cluster whose network does not heed policies. */
  CODEXK8S_ALLOW_UNENFORCED_NETWORK_POLICY: z.stringbool().default(false),
  /** `host:port` that agents must not reach, besides Postgres, Temporal, the API server and the cloud's metadata. */
  CODEXK8S_AGENT_FORBIDDEN: list.pipe(z.array(z.string().regex(/^[\w.:[\]-]+:\d+$/))).default([]),
  /** Activities that run at once; each waiting agent holds one. */
  CODEXK8S_WORKER_ACTIVITIES: z.coerce.number().int().positive().default(200),
  /** Workflows kept in memory, about 0.3 MiB each; others cost nothing, and are replayed when something happens to them. */
  CODEXK8S_WORKER_CACHED_WORKFLOWS: z.coerce.number().int().min(50).default(500),
  /** Runs that may work at once; the others wait in a queue. The same for all workers. */
  CODEXK8S_RUN_LIMITS: runLimits.default(RUN_LIMITS),
  /** How often each sweep runs. Four minutes, so that five minutes after an outage nothing is missing any more. */
  CODEXK8S_SWEEP_REDELIVERY_SECONDS: seconds.default(240),
  CODEXK8S_SWEEP_RECONCILE_SECONDS: seconds.default(240),
  CODEXK8S_SWEEP_WORKSPACE_SECONDS: seconds.default(3600),
  /** What happened less than so long ago is left to webhooks. */
  CODEXK8S_SWEEP_GRACE_SECONDS: seconds.default(45),
  /** A workspace that is nobody's is kept so long after its last use. */
  CODEXK8S_SWEEP_ORPHAN_SECONDS: seconds.default(3600),
});

const CheckedWorker = Worker.refine(
  (config) => config.CODEXK8S_RUNTIME === 'kubernetes' || config.CODEXK8S_RUNTIME_DIRECTORY !== undefined,
  { path: ['CODEXK8S_RUNTIME_DIRECTORY'], message: 'is needed by the local runtime' },
).refine((config) => config.CODEXK8S_RUNTIME === 'local' || config.CODEXK8S_AGENT_IMAGE !== undefined, {
  path: ['CODEXK8S_AGENT_IMAGE'],
  message: 'is needed by the Kubernetes runtime',
});

export type ServerConfig = Readonly<z.infer<typeof Server>>;
export type WorkerConfig = Readonly<z.infer<typeof CheckedWorker>>;

/** One variable, and what is wrong with it. */
export interface SettingProblem {
  readonly setting: string;
  readonly message: string;
}

/** Configuration that cannot be used; the message names every variable that is wrong, and no value. */
export class BadConfiguration extends Error {
  readonly problems: readonly SettingProblem[];
  constructor(problems: readonly SettingProblem[]) {
    const lines = problems.map(({ setting, message }) => `  ${setting}: ${message}`);
    super(`The configuration is not complete:\n${lines.join('\n')}\nSee docs/operations.md.`);
    this.problems = problems;
  }
}

/** The server's configuration. */
export function serverConfig(env: NodeJS.ProcessEnv = process.env): ServerConfig {
  return parse(Server, env);
}

/** The worker's configuration. */
export function workerConfig(env: NodeJS.ProcessEnv = process.env): WorkerConfig {
  return parse(CheckedWorker, env);
}

/** The database's address alone, for `migrate`. */
export function databaseUrl(env: NodeJS.ProcessEnv = process.env): string {
  return parse(Database, env).DATABASE_URL;
}

/** Every setting by itself, as far as each can be used: for looking at a configuration that is not complete. */
export type UsableSettings = Readonly<Partial<ServerConfig & WorkerConfig>>;

/** What can be used of a configuration. */
export function usableSettings(env: NodeJS.ProcessEnv = process.env): UsableSettings {
  let database: { DATABASE_URL?: string } = {};
  try {
    database = databaseFromFile(env);
  } catch {
    // Said by whoever reads the whole configuration.
  }
  const given: NodeJS.Dict<string> = { ...env, ...database };
  const usable: Record<string, unknown> = {};
  for (const [setting, schema] of Object.entries({ ...Server.shape, ...Worker.shape })) {
    const parsed = schema.safeParse(given[setting]);
    if (parsed.success) usable[setting] = parsed.data;
  }
  return Object.freeze(usable);
}

/** The names of all settings, by the process that reads them. */
export const SETTINGS: Readonly<Record<'server' | 'worker', readonly string[]>> = {
  server: [DATABASE_URL_FILE, ...Object.keys(Server.shape)],
  worker: [DATABASE_URL_FILE, ...Object.keys(Worker.shape)],
};

/** What may be created on GitHub. */
export function writeLimits(config: ServerConfig | WorkerConfig): { perMinute: number; perHour: number } {
  return {
    perMinute: config.CODEXK8S_GITHUB_WRITES_PER_MINUTE,
    perHour: config.CODEXK8S_GITHUB_WRITES_PER_HOUR,
  };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function databaseFromFile(env: NodeJS.ProcessEnv): { DATABASE_URL?: string } {
  const file = env[DATABASE_URL_FILE];
  if (file === undefined) return {};
  try {
    return { DATABASE_URL: readFileSync(file, 'utf8').trim() };
  } catch {
    throw new BadConfiguration([{ setting: DATABASE_URL_FILE, message: `cannot be read: ${file}` }]);
  }
}

function parse<Schema extends z.ZodType>(schema: Schema, env: NodeJS.ProcessEnv): Readonly<z.infer<Schema>> {
  const parsed = schema.safeParse({ ...env, ...databaseFromFile(env) });
  if (parsed.success) return Object.freeze(parsed.data as object) as Readonly<z.infer<Schema>>;
  throw new BadConfiguration(parsed.error.issues.map(({ path, message }) => ({ setting: path.join('.'), message })));
}
