import { expect, test } from 'vitest';
import { serviceAddresses } from '../../src/network/service-addresses.ts';

const POSTGRES = 'postgres://codex:secret@db.example:6543/codex';
const TEMPORAL = 'temporal.example:7233';

test.each([
  ['Postgres and Temporal', POSTGRES, TEMPORAL, ['db.example:6543', 'temporal.example:7233']],
  ['Postgres on its usual port', 'postgres://db.example/codex', TEMPORAL, ['db.example:5432', 'temporal.example:7233']],
  [
    'hosts whose names begin like loopback',
    'postgres://localhost.example/codex',
    '127.example:7233',
    ['localhost.example:5432', '127.example:7233'],
  ],
  ['no Postgres on localhost', 'postgres://localhost/codex', TEMPORAL, ['temporal.example:7233']],
  ['no Postgres on ::1', 'postgres://[::1]:6543/codex', TEMPORAL, ['temporal.example:7233']],
  ['no Temporal on 127.0.0.1', POSTGRES, '127.0.0.1:7233', ['db.example:6543']],
])('addresses of services: %s', (_what, database, temporal, addresses) => {
  expect(serviceAddresses(database, temporal)).toEqual(addresses);
});
