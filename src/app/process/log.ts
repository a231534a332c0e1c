/** Logs: lines of JSON with a constant message and structured fields; known secrets are redacted. */
import { pino, type Logger } from 'pino';
import { createRedactor } from '../../domain/agent/redaction.ts';

/** What authenticates in a header, wherever it stands: a process's log has no text that people wrote. */
const CREDENTIALS = /(?<=(?:Bearer|Basic) )[^\s"\\]+/g;
const redact = createRedactor([]);

export type { Logger };

/** The process's logger, on standard output. */
export function createLogger(name: string, level: string): Logger {
  return pino({
    name,
    level,
    formatters: { level: (label) => ({ level: label }) },
    hooks: { streamWrite: (line) => redact(line).replaceAll(CREDENTIALS, '[redacted]') },
  });
}
