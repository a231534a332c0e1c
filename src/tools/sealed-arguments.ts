/** Arguments of a call as they are kept: secret values sealed beside them, and a fingerprint in their place. */
import type { ToolName } from '../domain/tools/catalogue.ts';
import { canonicalJson, digestOf } from './canonical.ts';
import { SECRET_FIELDS, TOOL_SCHEMAS, type ToolArgs } from './schemas.ts';

/** The part of the platform's sealing that this file needs. */
export interface ArgumentSealing {
  seal(value: string, about: string): string;
  open(sealed: string, about: string): string;
  fingerprint(value: string, about: string): string;
}

/** What of a call may be stored and shown. */
export interface KeptArguments {
  /** Canonical JSON. */
  readonly args: string;
  /** SHA-256 over tool and {@link args}: the same for the same secrets, and nobody can guess them from it. */
  readonly digest: string;
  /** The secret fields; null if there are none. */
  readonly sealed: string | null;
}

export function keepArguments(
  tool: ToolName,
  args: ToolArgs<ToolName>,
  runId: string,
  sealing: ArgumentSealing,
): KeptArguments {
  const shown: Record<string, unknown> = { ...args };
  const secrets: Record<string, string> = {};
  for (const field of SECRET_FIELDS[tool] ?? []) {
    const value = shown[field];
    if (typeof value !== 'string') continue;
    secrets[field] = value;
    shown[field] = `sealed:${sealing.fingerprint(value, `argument ${tool} ${field}`)}`;
  }
  const digest = digestOf(tool, shown);
  const sealed =
    Object.keys(secrets).length === 0 ? null : sealing.seal(JSON.stringify(secrets), `arguments ${runId} ${digest}`);
  return { args: canonicalJson(shown), digest, sealed };
}

/**
 * The whole arguments of a call that was kept. Throws if they are not those that the digest was made of, or do not fit the tool's
 * schema any more.
 */
export function openArguments<T extends ToolName>(
  tool: T,
  { args, digest, sealed }: KeptArguments,
  runId: string,
  sealing: ArgumentSealing,
): ToolArgs<T> {
  const shown = JSON.parse(args) as Record<string, unknown>;
  if (digestOf(tool, shown) !== digest) throw new Error('the arguments of the call were changed after it was made');
  const secrets =
    sealed === null ? {} : (JSON.parse(sealing.open(sealed, `arguments ${runId} ${digest}`)) as Record<string, string>);
  return TOOL_SCHEMAS[tool].parse({ ...shown, ...secrets }) as ToolArgs<T>;
}
