import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import {
  promptsDiff,
  promptsList,
  promptsRollback,
  promptsSet,
  promptsShow,
} from '../../../src/cli/commands/prompts.ts';
import { agentAssignments, promptOverrides } from '../../../src/store/connection/schema.ts';
import { storeAssignment } from '../../../src/store/runs/assignments.ts';
import { bind, clear, putRun, runId } from '../../ingress/dashboard/support/world.ts';
import { assignmentOf, useTables } from '../../support/tables.ts';
import { connect, type Connection } from '../../../src/store/connection/database.ts';
import { openDesk, type Desk } from '../support.ts';

const tables = useTables();
let connection: Connection;
let desk: Desk;
let file: string;

beforeAll(async () => {
  connection = connect(tables.url, { name: 'test' });
  desk = await openDesk(connection);
  file = join(await mkdtemp(join(tmpdir(), 'prompts-')), 'dev.md');
});
afterAll(async () => {
  await desk?.close();
  await connection?.close();
});
beforeEach(async () => {
  await clear(connection.db);
  await connection.db.delete(promptOverrides);
  await connection.db.delete(agentAssignments);
  await bind(connection.db);
});

async function set(text: string): Promise<string[]> {
  await writeFile(file, text);
  const session = desk.session();
  await promptsSet(session, { stage: 'dev', file, by: 'olivia' });
  return session.printed;
}

test('a prompt is set from a file, compared, and rolled back', async () => {
  expect(await set('One.\n')).toEqual([
    'dev-work of the installation is at version 1 now. Runs that start from now on get it.',
  ]);
  await set('Two.\n');
  const session = desk.session();
  await promptsDiff(session, 1, 2, { stage: 'dev' });
  await promptsRollback(session, { stage: 'dev', to: 1, by: 'olivia' });
  await promptsShow(session, { stage: 'dev' });
  await promptsList(session, {});
  const printed = session.printed.join('\n');
  expect(printed).toContain('-One.\n+Two.');
  expect(printed).toContain('dev-work of the installation is at version 3 now.');
  expect(printed).toContain('dev-work: installation, version 3');
  expect(printed).toMatch(/dev-work +the installation +any +3 +olivia/);
});

test('what the agent of a run was told is shown with where it is from', async () => {
  await putRun(connection.db, 1);
  const more = { taskSource: 'repository', taskVersion: 'b10b', taskSha256: 'cd' } as const;
  await storeAssignment(connection.db, assignmentOf(runId(1), more));
  const session = desk.session();
  await promptsShow(session, { run: runId(1).slice(0, 8) });
  expect(session.printed.join('\n')).toMatch(/repository, version b10b[^]*Please\./);
});

test('a file that is not there is named', async () => {
  await expect(promptsSet(desk.session(), { stage: 'dev', file: '/nowhere/dev.md' })).rejects.toThrow(
    '/nowhere/dev.md',
  );
});

test('a prompt without a stage is asked for', async () => {
  await expect(promptsShow(desk.session(), {})).rejects.toThrow('Give --stage');
});
