/** Accounts of the GitHub emulator. */

/** The account of the user of `up`. */
export const OWNER = 'olivia';
/** Another person, without rights on the platform until one is granted. */
export const COLLEAGUE = 'rita';
/** The platform's account. */
export const BOT = 'codex-k8s[bot]';
