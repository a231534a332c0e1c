/** Whoever owns the GitHub emulator owns the platform on it. */
import { setTimeout as delay } from 'node:timers/promises';
import { ApiRefusal, createApiClient, type ApiAddress } from '../../api-client/api-client.ts';
import { OWNER } from '../accounts.ts';

/** A server that is just ready may have to ask twice for what it needs. */
const ATTEMPTS = 10;
const PAUSE_MS = 500;

/** Makes the owner a member of the platform. Safe to repeat. */
export async function introduceOwner(address: ApiAddress): Promise<void> {
  const api = createApiClient(address);
  for (let attempt = 1; ; attempt += 1) {
    try {
      await api.addMember({ login: OWNER, role: 'platform_owner' });
      return;
    } catch (error) {
      const passing = error instanceof ApiRefusal && error.status >= 500;
      if (!passing || attempt === ATTEMPTS)
        throw new Error(`The owner cannot be made a member: ${(error as Error).message}`, { cause: error });
    }
    await delay(PAUSE_MS);
  }
}
