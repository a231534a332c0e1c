/** GitHub's signature over the raw body. */
import { createHmac, timingSafeEqual } from 'node:crypto';

/** Returns the index of the secret that made the signature, or -1. Constant time for each secret; all are tried. */
export function signedBy(secrets: readonly string[], body: Buffer, signature: string | undefined): number {
  const given = /^sha256=([0-9a-f]{64})$/.exec(signature ?? '')?.[1];
  if (given === undefined) return -1;
  const mac = Buffer.from(given, 'hex');
  return secrets.reduce((found, secret, index) => {
    const matches = timingSafeEqual(createHmac('sha256', secret).update(body).digest(), mac);
    return found === -1 && matches ? index : found;
  }, -1);
}

/** The signature header that GitHub would send. */
export function sign(secret: string, body: Buffer): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
}
