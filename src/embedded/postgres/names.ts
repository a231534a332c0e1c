/** Names within the embedded PostgreSQL. */
export const POSTGRES_USER = 'codexk8s';
export const POSTGRES_DATABASE = 'codexk8s';

/** The environment of PostgreSQL's programs. */
export const ENVIRONMENT = { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };
