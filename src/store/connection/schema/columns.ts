/** Types of columns that several tables have. */
import { bigint, customType, timestamp } from 'drizzle-orm/pg-core';

export const bytea = customType<{ data: Buffer; driverData: Buffer }>({ dataType: () => 'bytea' });
export const instant = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' });
/** GitHub's numeric id of anything. */
export const githubId = (name: string) => bigint(name, { mode: 'number' });
