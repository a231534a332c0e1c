/** Makes the emulator's owner the platform owner. */
import { setTimeout as delay } from 'node:timers/promises';
import { ApiRefusal, createApiClient, type ApiAddress } from '../../api-client/api-client.ts';
import { OWNER } from '../accounts.ts';

/** A server that has just become ready may still answer 5xx. */
const ATTEMPTS = 10;
const PAUSE_MS = 500;

/** Adds the owner as platform owner. Safe to repeat. */
export async function addOwner(address: ApiAddress): Promise<void> {
  const api = createApiClient(address);
  for (let attempt = 1; ; attempt += 1) {
    try {
      await api.addMember({ login: OWNER, role: 'platform_owner' });
      return;
    } catch (error) {
      const isTransient = error instanceof ApiRefusal && error.status >= 500;
      if (!isTransient || attempt === ATTEMPTS)
        throw new Error(`The owner cannot be made a member: ${(error as Error).message}`, { cause: error });
    }
    await delay(PAUSE_MS);
  }
}
