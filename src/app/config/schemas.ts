/** Kinds of settings: how the text of one variable becomes its value, or what is wrong with it. No message holds a value of a secret. */
import { readFileSync, statSync } from 'node:fs';
import { z } from 'zod';
import { readBlocks } from '../../network/address-blocks.ts';
import { CANONICAL_NAMES } from '../../domain/stages/label-names.ts';
import type { RunLimits } from '../../domain/run/permits.ts';
import { DEFAULT_POLICY } from '../../domain/approvals/default-policy.ts';
import { readLabelsFile } from './labels-file.ts';
import { readPolicyFile } from './policy-file.ts';
import { readRunLimits } from './run-limits.ts';
import { readWorkspaceHours, type WorkspaceHours } from './workspace-hours.ts';

/** A file with a secret of at least so many characters. */
export const secret = (least: number) =>
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

/** The text of a PEM file that holds this. */
const pem = (what: RegExp, message: string) => secret(1).pipe(z.string().regex(what, message));
/** A file with one or more certificates, PEM; its text. */
export const certificate = pem(/-----BEGIN CERTIFICATE-----/, 'the file holds no certificate in PEM');
/** A file with a private key, PEM; its text. */
export const privateKey = pem(/-----BEGIN [A-Z ]*PRIVATE KEY-----/, 'the file holds no private key in PEM');

/** The path itself of a file whose text is fit for `content`: for files that are read again when they change. */
export const pathOf = (content: z.ZodType) =>
  z.string().superRefine((path, context) => {
    for (const { message } of content.safeParse(path).error?.issues ?? [])
      context.addIssue({ code: 'custom', message });
  });

/** A URL without the slash at its end. */
export const url = z.url().transform((value) => value.replace(/\/+$/, ''));
export const port = z.coerce.number().int().min(0).max(65_535);
export const seconds = z.coerce.number().int().positive();
/** A number of seconds or hours that may have a fraction. */
export const duration = z.coerce.number().positive();

/** An existing directory. */
export const directory = z
  .string()
  .refine((path) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true, 'is not a directory');

/** An existing file. */
export const file = z
  .string()
  .refine((path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true, 'is not a file');

/** Limits of runs, as {@link readRunLimits} reads them. */
export const runLimits = z.string().transform((text, context): RunLimits => {
  const limits = readRunLimits(text);
  if (!('problem' in limits)) return limits;
  context.addIssue({ code: 'custom', message: limits.problem });
  return z.NEVER;
});

/** A file of the names that this installation gives to labels; without one, the labels' own names. */
export const labels = z
  .string()
  .transform((path, context) => {
    const chosen = readLabelsFile(path);
    if ('names' in chosen) return chosen.names;
    for (const message of chosen.problems) context.addIssue({ code: 'custom', message });
    return z.NEVER;
  })
  .optional()
  .transform((names) => names ?? CANONICAL_NAMES);

/** A file with the approval policy; without one, the policy of codex-k8s. */
export const policy = z
  .string()
  .transform((path, context) => {
    const read = readPolicyFile(path);
    if ('policy' in read) return read.policy;
    for (const message of read.problems) context.addIssue({ code: 'custom', message });
    return z.NEVER;
  })
  .optional()
  .transform((read) => read ?? DEFAULT_POLICY);

/** A program and its arguments, as JSON: `["node", "/opt/agent.js"]`. */
export const command = z.string().transform((text, context) => {
  const parsed = z.tuple([z.string().min(1)], z.string()).safeParse(jsonOf(text));
  if (parsed.success) return parsed.data;
  context.addIssue({ code: 'custom', message: 'is not a JSON array of a program and its arguments' });
  return z.NEVER;
});

/** How long workspaces are kept, as {@link readWorkspaceHours} reads it. */
export const workspaceHours = z.string().transform((text, context): WorkspaceHours => {
  const found = readWorkspaceHours(text);
  if (!('problem' in found)) return found;
  context.addIssue({ code: 'custom', message: found.problem });
  return z.NEVER;
});

/** Kubernetes' spelling of an amount. */
export const quantity = z
  .string()
  .regex(/^\d+(\.\d+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$/, 'is not a Kubernetes quantity, like 500m or 4Gi');

/** Entries separated by commas. */
export const list = z.string().transform((text) =>
  text
    .split(',')
    .map((entry) => entry.trim())
    .filter(Boolean),
);

/** Blocks of addresses, separated by commas. */
export const blocks = list.transform((entries, context): readonly string[] => {
  const read = readBlocks(entries);
  if ('blocks' in read) return read.blocks;
  context.addIssue({ code: 'custom', message: read.problem });
  return z.NEVER;
});

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
