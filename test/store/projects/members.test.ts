/** S12: a role is what was set last, and can be taken. */
import { beforeEach, expect, test } from 'vitest';
import { people } from '../../../src/store/connection/schema.ts';
import { readMembership } from '../../../src/store/intake/memberships.ts';
import { addPerson, ensureProject, findMember, removePerson } from '../../../src/store/projects/repositories.ts';
import { bind, OLIVIA, REPOSITORY, useTables } from '../../support/tables.ts';

const PETER = { id: 12, login: 'peter' };
const tables = useTables();
let projectId: string;

beforeEach(async () => {
  await tables.clear();
  ({ projectId } = await bind(tables.db));
});

const membership = async (id: number) => (await readMembership(tables.db, REPOSITORY.id, id)).membership;

test('an owner of the platform who is added to a project to read may only read', async () => {
  await addPerson(tables.db, PETER, 'platform_owner', projectId);
  await addPerson(tables.db, PETER, 'read', projectId);
  expect(await membership(PETER.id)).toEqual({ known: true, platformRole: null, projectRole: 'read' });
});

test('a member of a project who becomes an owner of the platform is one', async () => {
  await addPerson(tables.db, PETER, 'read', projectId);
  await addPerson(tables.db, PETER, 'platform_owner', projectId);
  expect(await membership(PETER.id)).toMatchObject({ platformRole: 'platform_owner' });
});

test('a member who is removed from one project stays in the other', async () => {
  await addPerson(tables.db, OLIVIA, 'admin', await ensureProject(tables.db, 'another'));
  expect(await removePerson(tables.db, OLIVIA.id, 'demo')).toBe(true);
  expect(await membership(OLIVIA.id)).toEqual({ known: true, platformRole: null, projectRole: null });
});

test('a member who is removed from the last project is not known any more', async () => {
  expect(await removePerson(tables.db, OLIVIA.id, 'demo')).toBe(true);
  expect(await tables.db.select().from(people)).toEqual([]);
  expect(await membership(OLIVIA.id)).toMatchObject({ known: false });
});

test('an owner who is removed has no role any more', async () => {
  await addPerson(tables.db, PETER, 'platform_owner', projectId);
  expect(await removePerson(tables.db, PETER.id)).toBe(true);
  expect(await membership(PETER.id)).toMatchObject({ known: false, platformRole: null });
});

test('an owner who is taken from a project stays an owner', async () => {
  await addPerson(tables.db, PETER, 'platform_owner', projectId);
  expect(await removePerson(tables.db, PETER.id, 'demo')).toBe(false);
  expect(await membership(PETER.id)).toMatchObject({ platformRole: 'platform_owner' });
});

test('somebody is found by login, whatever its case', async () => {
  expect(await findMember(tables.db, 'Olivia')).toEqual(OLIVIA);
  expect(await findMember(tables.db, 'nobody')).toBeUndefined();
});
