/** Who exists on the GitHub stand-in from the start. */

/** The person at the keyboard. */
export const OWNER = 'olivia';
/** The platform. */
export const BOT = 'codex-k8s[bot]';
