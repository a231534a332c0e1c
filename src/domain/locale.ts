/** The languages that a project can choose for what the platform writes on GitHub, and for its agents' prompts. */
export const LOCALES = ['en', 'ru'] as const;
export type Locale = (typeof LOCALES)[number];
