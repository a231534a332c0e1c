/** Who exists on the GitHub stand-in from the start. */

/** The person at the keyboard. */
export const OWNER = 'olivia';
/** Somebody else, who may nothing on the platform unless told. */
export const COLLEAGUE = 'rita';
/** The platform. */
export const BOT = 'codex-k8s[bot]';
