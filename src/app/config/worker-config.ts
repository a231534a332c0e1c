/** Settings of the worker: those here, and those of shared-config.ts. */
import { z } from 'zod';
import { CLAUDE_MODEL } from '../../domain/stages/clis.ts';
import { RUN_LIMITS } from '../../domain/run/permits.ts';
import { WAIT_HOURS } from '../../domain/run/waits.ts';
import { readConfig } from './read-config.ts';
import {
  blocks,
  certificate,
  command,
  directory,
  duration,
  file,
  list,
  pathOf,
  quantity,
  runLimits,
  seconds,
  workspaceHours,
} from './schemas.ts';
import { SharedSettings } from './shared-config.ts';
import { checkTemporal } from './temporal-config.ts';

/** Webhooks of the last three days may be requested again, and are compared with what is stored. */
const days = z.coerce
  .number()
  .int()
  .refine((value) => value === 0 || (value >= 4 && value <= 36_500), 'must be 0, or from 4 to 36500');

const Settings = SharedSettings.extend({
  /** `local`: agents are processes beside the worker. `kubernetes`: Jobs, in a namespace for each issue. */
  CODEXK8S_RUNTIME: z.enum(['local', 'kubernetes']).default('local'),
  /** A file of bundled workflows, made from this very source (deploy/write-workflow-bundle.ts); else they are bundled at the start. */
  CODEXK8S_WORKFLOW_BUNDLE: file.optional(),
  /** A directory for two files that a kubelet's probes look at (src/app/worker/probe-files.ts). */
  CODEXK8S_PROBE_DIRECTORY: directory.optional(),
  /** The local runtime's directory of workspaces. */
  CODEXK8S_RUNTIME_DIRECTORY: z.string().optional(),
  /** The authorities that sign the gateways' certificate, if they are not well-known ones: agents trust them too. */
  CODEXK8S_AGENT_CA_FILE: pathOf(certificate).optional(),
  /** The kubeconfig of the cluster for agents; inside a cluster, that cluster by default. */
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
  CODEXK8S_AGENT_CLI: z.enum(['codex', 'claude']).default('codex'),
  CODEXK8S_AGENT_MODEL: z.string().default('gpt-5.5'),
  CODEXK8S_AGENT_CLAUDE_MODEL: z.string().default(CLAUDE_MODEL),
  /** What the local runtime starts as an agent; this program's own agent by default. Tests and benchmarks set it. */
  CODEXK8S_AGENT_COMMAND: command.optional(),
  CODEXK8S_AGENT_REASONING: z.enum(['low', 'medium', 'high', 'xhigh']).default('high'),
  /** How long a workspace is kept after a run began: `24`, or `24,qa=48` with hours of their own for roles. */
  CODEXK8S_WORKSPACE_HOURS: workspaceHours.default({ all: 24, byRole: {} }),
  /** Hours that a run waits for an answer to its agent's question, for an approval, and for an operator to resume it. */
  CODEXK8S_QUESTION_HOURS: duration.default(WAIT_HOURS.question),
  CODEXK8S_APPROVAL_HOURS: duration.default(WAIT_HOURS.approval),
  CODEXK8S_PAUSE_HOURS: duration.default(WAIT_HOURS.paused),
  /** Agents are started even on a cluster whose network does not heed policies. */
  CODEXK8S_ALLOW_UNENFORCED_NETWORK_POLICY: z.stringbool().default(false),
  /** `host:port` that agents must not reach, besides Postgres, Temporal, the API server and the cloud's metadata. */
  CODEXK8S_AGENT_FORBIDDEN: list.pipe(z.array(z.string().regex(/^[\w.:[\]-]+:\d+$/))).default([]),
  /** Activities that run at once; each waiting agent holds one. */
  CODEXK8S_WORKER_ACTIVITIES: z.coerce.number().int().positive().default(200),
  /** Workflows kept in memory, about 0.3 MiB each; others cost nothing, and are replayed when something happens to them. */
  CODEXK8S_WORKER_CACHED_WORKFLOWS: z.coerce.number().int().min(50).default(500),
  /** Runs that labels and reviews may ask for in an hour, for each issue; then a person is asked. 0: as many as they like. */
  CODEXK8S_TRIGGERS_PER_HOUR: z.coerce.number().int().nonnegative().default(5),
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
  /** How long records are kept; 0: for ever. */
  CODEXK8S_KEEP_BODIES_DAYS: days.default(30),
  CODEXK8S_KEEP_LOGS_DAYS: days.default(90),
  CODEXK8S_KEEP_CONVERSATIONS_DAYS: days.default(90),
  CODEXK8S_KEEP_STATUS_COMMENTS_DAYS: days.default(90),
});

export const WorkerSettings = Settings.refine(
  (config) => config.CODEXK8S_RUNTIME === 'kubernetes' || config.CODEXK8S_RUNTIME_DIRECTORY !== undefined,
  { path: ['CODEXK8S_RUNTIME_DIRECTORY'], message: 'is needed by the local runtime' },
)
  .refine((config) => config.CODEXK8S_RUNTIME === 'local' || config.CODEXK8S_AGENT_IMAGE !== undefined, {
    path: ['CODEXK8S_AGENT_IMAGE'],
    message: 'is needed by the Kubernetes runtime',
  })
  .superRefine(checkTemporal);

export type WorkerConfig = Readonly<z.infer<typeof WorkerSettings>>;

/** The worker's configuration; throws a `BadConfiguration`. */
export function workerConfig(env: NodeJS.ProcessEnv = process.env): WorkerConfig {
  return readConfig(WorkerSettings, env);
}
