/** Connects commands to Temporal. */
import { Client, Connection } from '@temporalio/client';
import { CommandProblem } from '../../terminal/problems.ts';

export interface TemporalAddress {
  readonly address: string;
  readonly namespace: string;
}

/** Connects to Temporal, runs an action, and closes the connection. */
export async function withTemporal<Result>(
  { address, namespace }: TemporalAddress,
  action: (client: Client) => Promise<Result>,
): Promise<Result> {
  const connection = await Connection.connect({ address, connectTimeout: '5 seconds' }).catch((error: unknown) => {
    throw new CommandProblem(
      `Temporal cannot be reached at ${address}: ${error instanceof Error ? error.message : String(error)}`,
    );
  });
  try {
    return await action(new Client({ connection, namespace }));
  } finally {
    await connection.close();
  }
}
