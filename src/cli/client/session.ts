/** The API client, terminal and output format of a command. */
import type { ApiClient } from '../../api-client/api-client.ts';
import type { Terminal } from '../../terminal/terminal.ts';

export interface Session {
  readonly api: ApiClient;
  readonly terminal: Terminal;
  /** Prints the API's response as JSON. */
  readonly json: boolean;
}

/** Prints a value as JSON. */
export function printJson({ terminal }: Session, value: unknown): void {
  terminal.out(JSON.stringify(value, null, 2));
}
