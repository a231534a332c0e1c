/** The arguments of the platform's tools, with their limits: what an agent sends is checked with these, on the server. */
import { z } from 'zod';
import type { ToolName } from '../domain/tools/catalogue.ts';

const Label = z.string().trim().min(1).max(100).describe('the name of a label');
const Labels = z.array(Label).min(1).max(20);
const IssueNumber = z
  .int()
  .positive()
  .optional()
  .describe("the run's issue, or its pull request; left out: the issue. Others are refused");
const Page = z.int().min(1).max(1000).default(1).describe('counts from 1');
const PageSize = z.int().min(1).max(50).default(20).describe('entries of a page');
const RepositoryName = z
  .string()
  .max(140)
  .regex(/^[\w.-]+\/[\w.-]+$/)
  .describe("owner/name; left out: the run's repository");
const DryRun = z.boolean().default(false).describe('only say what would be done');
const Environment = z
  .string()
  .max(63)
  .regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/)
  .describe('for example dev or production');
const KubernetesName = (most: number): z.ZodString =>
  z
    .string()
    .max(most)
    .regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/);

const SecretSync = z
  .strictObject({
    environment: Environment,
    github_secret_name: z
      .string()
      .max(100)
      .regex(/^(?!GITHUB_)[A-Z_][A-Z0-9_]*$/)
      .describe('the secret of the GitHub environment'),
    kubernetes_secret_name: KubernetesName(253).describe('the Kubernetes Secret'),
    kubernetes_namespace: KubernetesName(63).optional().describe("one of the project's own namespaces"),
    kubernetes_secret_key: z
      .string()
      .max(253)
      .regex(/^[-._a-zA-Z0-9]+$/)
      .default('value'),
    policy: z
      .enum(['deterministic', 'random', 'provided'])
      .default('deterministic')
      .describe('how the value is made: always the same one, a new one, or secret_value'),
    secret_value: z.string().min(1).max(32_768).optional().describe('only with the policy provided'),
    idempotency_key: z.string().min(1).max(128).optional().describe('the same key gives the same result again'),
    project_id: z.uuid().optional(),
    repository: RepositoryName.optional(),
    dry_run: DryRun,
  })
  .refine(({ policy, secret_value }) => (policy === 'provided') === (secret_value !== undefined), {
    path: ['secret_value'],
    error: 'secret_value is given with the policy provided, and with no other',
  });

export const TOOL_SCHEMAS = {
  github_labels_list: z.strictObject({ issue_number: IssueNumber }),
  github_labels_add: z.strictObject({ issue_number: IssueNumber, labels: Labels }),
  github_labels_remove: z.strictObject({ issue_number: IssueNumber, labels: Labels }),
  github_labels_transition: z
    .strictObject({
      issue_number: IssueNumber,
      remove_labels: z.array(Label).max(20).default([]),
      add_labels: z.array(Label).max(20).default([]),
    })
    .refine(({ remove_labels, add_labels }) => remove_labels.length + add_labels.length > 0, {
      error: 'name at least one label',
    }),
  github_issue_get: z.strictObject({ issue_number: IssueNumber }),
  github_pull_request_get: z.strictObject({
    pull_request_number: z.int().positive().optional().describe("left out: the pull request of the run's issue"),
  }),
  github_comments_list: z.strictObject({ issue_number: IssueNumber, page: Page, limit: PageSize }),
  github_review_threads_list: z.strictObject({
    pull_request_number: z.int().positive().optional().describe("left out: the pull request of the run's issue"),
    page: Page,
    limit: PageSize,
  }),
  run_status_report: z.strictObject({
    status: z.string().trim().min(1).max(100).describe('what you are doing now, in one line for people'),
  }),
  codex_prompt_context_get: z.strictObject({}),
  'user.notify': z.strictObject({
    notification_kind: z.enum(['completion', 'next_step', 'status_update', 'warning']).default('status_update'),
    summary: z.string().trim().min(1).max(300),
    details_markdown: z.string().max(10_000).optional(),
    action_label: z.string().trim().min(1).max(80).optional(),
    action_url: z
      .url({ protocol: /^https$/ })
      .max(500)
      .optional(),
  }),
  'user.decision.request': z.strictObject({
    question: z.string().trim().min(1).max(2000),
    options: z
      .array(
        z.strictObject({
          option_id: z
            .string()
            .max(40)
            .regex(/^[a-z0-9][a-z0-9_-]*$/),
          label: z.string().trim().min(1).max(200),
          description: z.string().max(1000).optional(),
        }),
      )
      .min(2)
      .max(5),
    details_markdown: z.string().max(10_000).optional(),
    allow_free_text: z.boolean().default(false),
    free_text_placeholder: z.string().max(200).optional(),
    response_ttl_seconds: z
      .int()
      .min(60)
      .max(30 * 24 * 3600)
      .optional(),
  }),
  'owner.feedback.request': z.strictObject({
    question: z.string().trim().min(1).max(2000),
    options: z.array(z.string().trim().min(1).max(200)).min(2).max(5),
    allow_custom: z.boolean().default(false),
    dry_run: DryRun,
  }),
  'secret.sync.github_k8s': SecretSync,
  'database.lifecycle': z.strictObject({
    environment: Environment,
    action: z.enum(['create', 'delete', 'describe']),
    database_name: z
      .string()
      .max(63)
      .regex(/^[a-z][a-z0-9_]*$/),
    seed_from: z
      .string()
      .max(63)
      .regex(/^[a-z][a-z0-9_]*$/)
      .optional()
      .describe('with create: a database of the project that is copied'),
    confirm_delete: z.boolean().default(false).describe('must be true to delete'),
    dry_run: DryRun,
  }),
} as const satisfies Record<ToolName, z.ZodType>;

/** Arguments as their schema leaves them, with its defaults. */
export type ToolArgs<T extends ToolName> = z.output<(typeof TOOL_SCHEMAS)[T]>;

/** Fields whose values are secrets: they are kept encrypted, and stand in no table, event or log. */
export const SECRET_FIELDS: Readonly<Partial<Record<ToolName, readonly string[]>>> = {
  'secret.sync.github_k8s': ['secret_value'],
};

/**
 * What of a tool a call wants to do, for the policy: an action for each label, `create`, or `call` for tools that do one thing.
 * GitHub does not tell labels apart by case, so neither does the policy.
 */
export function actionsOf(tool: ToolName, args: ToolArgs<ToolName>): readonly [string, ...string[]] {
  const fields = args as Partial<ToolArgs<'github_labels_add'> & ToolArgs<'github_labels_transition'>>;
  const labels = (verb: string, names: readonly string[] = []): string[] =>
    names.map((name) => `${verb}:${name.toLowerCase()}`);
  const actions = {
    github_labels_add: () => labels('add', fields.labels),
    github_labels_remove: () => labels('remove', fields.labels),
    github_labels_transition: () => [...labels('remove', fields.remove_labels), ...labels('add', fields.add_labels)],
    'database.lifecycle': () => [(args as ToolArgs<'database.lifecycle'>).action],
  } as Partial<Record<ToolName, () => string[]>>;
  const [first = 'call', ...others] = actions[tool]?.() ?? [];
  return [first, ...others];
}
