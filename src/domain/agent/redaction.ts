/**
 * Hides secrets in everything that leaves an agent's container: log lines, reports, the stored conversation, the output of a
 * lost agent.
 */

export type Redact = (text: string) => string;

const REDACTED = '[redacted]';

/**
 * A secret starts at the start of a word. Text inside JSON has escapes (`\nghp_…`), and opaque base64 from the model must stay
 * unchanged, so a letter before it means "not a secret" unless it belongs to an escape.
 */
const START = String.raw`(?<=^|[^\w-]|\\[nrtbf])`;

const PATTERNS: readonly RegExp[] = [
  // Run tokens, of any attempt (src/adapters/run-tokens.ts).
  new RegExp(String.raw`${START}ck8s_run_[A-Za-z0-9_-]{20,}`, 'g'),
  new RegExp(String.raw`${START}gh[oprsu]_[A-Za-z0-9]{20,}`, 'g'),
  new RegExp(String.raw`${START}github_pat_[A-Za-z0-9_]{20,}`, 'g'),
  new RegExp(String.raw`${START}sk-[A-Za-z0-9_-]{20,}`, 'g'),
  // A key without its end (cut off) is hidden up to the end of the text, or of the JSON string around it.
  /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----[^"]*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|(?=")|$)/g,
];

/** Makes a function that hides these values and everything that looks like a well-known kind of secret. */
export function createRedactor(secrets: readonly string[]): Redact {
  const known = secrets.filter((secret) => secret !== '');
  return function redact(text) {
    let clean = text;
    for (const secret of known) clean = clean.replaceAll(secret, REDACTED);
    for (const pattern of PATTERNS) clean = clean.replace(pattern, REDACTED);
    return clean;
  };
}

/** A copy of the value with every string in it redacted. */
export function redactDeep<T>(value: T, redact: Redact): T {
  return JSON.parse(JSON.stringify(value), (_key, inner: unknown) =>
    typeof inner === 'string' ? redact(inner) : inner,
  ) as T;
}
