/** What secrets look like: one list for the runner, the server and the processes' logs (docs/security.md). */

/**
 * A secret starts at the start of a word. Text inside JSON has escapes (`\nghp_…`), and opaque base64 from the model must stay
 * unchanged, so a letter before it means "not a secret" unless it belongs to an escape, of JSON or for a terminal's colour.
 */
const START = String.raw`(?<=^|[^\w-]|\\[nrtbf]|\u001b\[[\d;]{0,12}m)`;

/** Global expressions of well-known kinds of secrets; a match is a secret as a whole. */
export const SECRET_PATTERNS: readonly RegExp[] = [
  // Run tokens, of any attempt (src/adapters/run-tokens.ts).
  /ck8s_run_[A-Za-z0-9_-]{20,}/g,
  // GitHub: 36 characters after the prefix, or since 2026 an app's id and a JWT, with dots. Not in the midst of opaque base64.
  /gh[oprsu]_(?<!\w{24}gh[oprsu]_)[A-Za-z0-9_.-]{19,}[A-Za-z0-9_-]/g,
  /github_pat_[A-Za-z0-9_]{20,}/g,
  // Models' APIs, payments, package registries, GitLab, Slack, Google.
  new RegExp(String.raw`${START}sk-[A-Za-z0-9_-]{20,}`, 'g'),
  new RegExp(String.raw`${START}[rs]k_(?:live|test)_[A-Za-z0-9]{16,}`, 'g'),
  new RegExp(String.raw`${START}npm_[A-Za-z0-9]{36}`, 'g'),
  new RegExp(String.raw`${START}pypi-[A-Za-z0-9_-]{50,}`, 'g'),
  new RegExp(String.raw`${START}glpat-[A-Za-z0-9_.-]{20,}`, 'g'),
  new RegExp(String.raw`${START}xox[abeoprs]-[A-Za-z0-9-]{10,}`, 'g'),
  new RegExp(String.raw`${START}AIza[A-Za-z0-9_-]{35}`, 'g'),
  // AWS: the id of a key by itself, the key where its name stands before it.
  /(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9+/_-])/g,
  /(?<=aws_?(?:secret_?access|session)_?(?:key|token)\\?["']?\s{0,3}[:=]{1,2}\s{0,3}\\?["']?)[A-Za-z0-9/+=]{40,}/gi,
  // A JWT, as Kubernetes' service accounts have it.
  new RegExp(String.raw`${START}eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}`, 'g'),
  // What a header or a URL authenticates with.
  /(?<=authorization\\?["']?\s{0,3}[:=]\s{0,3}\\?["']?(?:bearer|basic|token) )[A-Za-z0-9_.~+/=-]{8,}/gi,
  /(?<=:\/\/[^/\s:@"'\\]*:)[^@\s/"'\\]+(?=@)/g,
  // A key without its end (cut off) is hidden up to the end of the text, or of the JSON string around it.
  /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----[^"]*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|(?=")|$)/g,
];

/** What may be base64 of a secret: 27 characters are the 20 bytes of the shortest kind. An escape of JSON may stand before it. */
export const BASE64_WORD = /(?:\\[nrtbf])?([A-Za-z0-9+/_-]{27,}={0,2})/g;
