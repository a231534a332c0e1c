/** Connects commands to Temporal. */
import { Client, Connection } from '@temporalio/client';
import { connectionOptions, type TemporalAccess } from '../../temporal/access.ts';
import { CommandProblem } from '../../terminal/problems.ts';

/** Connects to Temporal, runs an action, and closes the connection. */
export async function withTemporal<Result>(
  access: TemporalAccess,
  action: (client: Client) => Promise<Result>,
): Promise<Result> {
  const { address, namespace } = access;
  const options = { ...connectionOptions(access), connectTimeout: '5 seconds' } as const;
  const connection = await Connection.connect(options).catch((error: unknown) => {
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
