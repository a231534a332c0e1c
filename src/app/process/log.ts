/** Logging: one line of JSON each, a static message with structured fields, known secrets replaced. */
import { pino, type Logger } from 'pino';

/** What looks like a token of ours or GitHub's; the longer patterns first. */
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
