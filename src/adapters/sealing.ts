/** Values that are secret, sealed for the platform's own tables, and values derived from the platform's key. */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';

export interface Sealing {
  /** Encrypts a value. `about` says what it belongs to, such as the id of a row: it opens with the same words only. */
  seal(value: string, about: string): string;
  /** The value of a sealed text; throws {@link NotSealedHere}. */
  open(sealed: string, about: string): string;
  /** 43 letters, digits, `-` and `_`, the same for the same words; nobody can compute them without the platform's key. */
  derive(...words: readonly string[]): string;
  /** Tells equal values apart from others without telling the value; 32 hexadecimal digits. */
  fingerprint(value: string, about: string): string;
}

/** A sealed text that was changed, belongs to something else, or was sealed with another key. */
export class NotSealedHere extends Error {
  override readonly name = 'NotSealedHere';
}

const VERSION = 'v1';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * AES-256-GCM, with a key of its own for each value (HKDF over the platform's key and a random nonce), and `about` as additional
 * data. `key` is a secret text of at least 32 characters.
 */
export function createSealing(key: string): Sealing {
  const derivedFrom = (purpose: string, salt: Uint8Array = new Uint8Array()): Buffer =>
    Buffer.from(hkdfSync('sha256', key, salt, `codex-k8s ${purpose}`, 32));
  const mac = (purpose: string, words: readonly string[]) =>
    createHmac('sha256', derivedFrom(purpose)).update(JSON.stringify(words));

  return {
    seal(value, about) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', derivedFrom('sealing', nonce), nonce).setAAD(Buffer.from(about));
      const bytes = Buffer.concat([nonce, cipher.update(value, 'utf8'), cipher.final(), cipher.getAuthTag()]);
      return `${VERSION}.${bytes.toString('base64url')}`;
    },
    open(sealed, about) {
      const [version, text = ''] = sealed.split('.');
      const bytes = Buffer.from(text, 'base64url');
      try {
        if (version !== VERSION) throw new Error(`unknown version ${version}`);
        const nonce = bytes.subarray(0, NONCE_BYTES);
        const decipher = createDecipheriv('aes-256-gcm', derivedFrom('sealing', nonce), nonce, {
          authTagLength: TAG_BYTES,
        })
          .setAAD(Buffer.from(about))
          .setAuthTag(bytes.subarray(-TAG_BYTES));
        const opened = decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES));
        return Buffer.concat([opened, decipher.final()]).toString('utf8');
      } catch (cause) {
        throw new NotSealedHere('a sealed value cannot be opened: it was changed, or sealed with another key', {
          cause,
        });
      }
    },
    derive: (...words) => mac('derived values', words).digest('base64url'),
    fingerprint: (value, about) => mac('fingerprints', [about, value]).digest('hex').slice(0, 32),
  };
}
