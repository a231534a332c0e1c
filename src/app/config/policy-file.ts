/** The file with an installation's approval policy (CODEXK8S_POLICY_FILE, docs/approvals.md), JSON or YAML. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import type { ApprovalPolicy } from '../../domain/approvals/policy.ts';

const pattern = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^*]*\*?$/, 'may have a * at its end only');

const Policy = z.strictObject({
  version: z.literal(1),
  requesterMayDecide: z.boolean().optional(),
  rules: z
    .array(
      z.strictObject({
        tool: pattern.optional(),
        action: pattern.optional(),
        role: pattern.optional(),
        label: pattern.optional(),
        runtime: z.enum(['full-env', 'code-only']).optional(),
        mode: z.enum(['none', 'delegated', 'owner']),
        reason: z.string().trim().min(1).max(200),
      }),
    )
    .max(200),
});

/** The policy in the file, or its problems, a sentence each. */
export function readPolicyFile(
  path: string,
): { readonly policy: ApprovalPolicy } | { readonly problems: readonly string[] } {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return { problems: [`cannot be read: ${path}`] };
  }
  return policyIn(text, path);
}

function policyIn(text: string, path: string): ReturnType<typeof readPolicyFile> {
  let value: unknown;
  try {
    value = parse(text, { maxAliasCount: 0 });
  } catch (error) {
    return { problems: [`${path} is neither JSON nor YAML: ${String(error).split('\n')[0] ?? ''}`] };
  }
  const read = Policy.safeParse(value);
  if (read.success) return { policy: withoutUndefined(read.data) };
  return { problems: read.error.issues.map((issue) => `${path}: ${z.core.toDotPath(issue.path)}: ${issue.message}`) };
}

function withoutUndefined(policy: z.output<typeof Policy>): ApprovalPolicy {
  return JSON.parse(JSON.stringify(policy)) as ApprovalPolicy;
}
