/** Logs: lines of JSON with a constant message and structured fields; known secrets are redacted. */
import { pino, type Logger } from 'pino';

/** Tokens of the platform, GitHub and the model, and credentials in URLs and headers; longer patterns first. */
const SECRETS =
  /ck8s_run_[\w-]+|github_pat_\w+|gh[a-z]_[\w.-]{10,}|sk-[\w-]{16,}|(?<=Bearer )\S+|(?<=Basic )\S+|(?<=:\/\/[^/\s:]*:)[^@\s/]+(?=@)/g;

export type { Logger };

/** The process's logger, on standard output. */
export function createLogger(name: string, level: string): Logger {
  return pino({
    name,
    level,
    formatters: { level: (label) => ({ level: label }) },
    hooks: { streamWrite: (line) => line.replaceAll(SECRETS, '[redacted]') },
  });
}
