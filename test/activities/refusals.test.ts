/** Why nothing was started is said once, in the language of the project. */
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createGitHubActivities } from '../../activities/github/publishing.ts';
import { createRecordActivities } from '../../activities/records/records.ts';
import { createGitHub } from '../../src/adapters/github/index.ts';
import type { Locale } from '../../src/domain/locale.ts';
import type { IssueRef } from '../../src/domain/issue/facts.ts';
import { refusalMarker, type Refusal } from '../../src/domain/messages/refusal-comment.ts';
import { projects } from '../../src/store/connection/schema.ts';
import { DEMO, startWithDemo, type Stage } from '../emulators/github/emulator.ts';
import { bind, REPOSITORY, UNCHANGED, useTables } from '../support/tables.ts';

const tables = useTables();
const REFUSAL: Refusal = {
  reason: 'issue_trigger_label_conflict',
  labels: ['run:dev', 'run:qa'],
  actor: 'octo',
  subject: 'event-1',
};

let stage: Stage;
let issue: IssueRef;

beforeAll(async () => {
  stage = await startWithDemo();
});
afterAll(async () => {
  await stage.emulator.close();
});
beforeEach(async () => {
  await tables.clear();
  const { projectId } = await bind(tables.db);
  await tables.db.update(projects).set({ locale: 'en' }).where(eq(projects.id, projectId));
  const { data } = await stage.octo.issues.create({ ...DEMO, title: 'a wish' });
  issue = { repositoryId: REPOSITORY.id, owner: DEMO.owner, name: DEMO.repo, number: data.number };
});

function activities() {
  const github = createGitHub({
    apiUrl: stage.emulator.apiUrl,
    token: 'token-bot',
    limits: { settleMs: 0 },
    waits: { current: () => Promise.resolve(undefined), hold: () => Promise.reject(new Error('nobody waits')) },
  });
  return createGitHubActivities({ db: tables.db, github });
}

async function comments(): Promise<string[]> {
  const { data } = await stage.octo.issues.listComments({ ...DEMO, issue_number: issue.number });
  return data.map(({ body }) => body ?? '');
}

/** The language that the issue's workflow asks for. */
async function localeOfProject(): Promise<Locale> {
  const records = createRecordActivities({
    db: tables.db,
    github: UNCHANGED,
    defaults: {
      model: 'm',
      reasoningEffort: 'high',
      dashboardUrl: 'http://dashboard',
      workspaceHours: 24,
      waitHours: { question: 168, paused: 168 },
    },
  });
  return (await records.readSettings({ repositoryId: REPOSITORY.id })).locale;
}

describe('a refusal', () => {
  test('is said once, however often it is tried', async () => {
    for (let attempt = 0; attempt < 3; attempt += 1)
      await activities().writeRefusal({ issue, refusal: REFUSAL, locale: 'en' });
    expect(await comments()).toHaveLength(1);
  });

  test('of another reason or another event is written too', async () => {
    await activities().writeRefusal({ issue, refusal: REFUSAL, locale: 'en' });
    await activities().writeRefusal({ issue, refusal: { ...REFUSAL, subject: 'event-2' }, locale: 'en' });
    await activities().writeRefusal({ issue, refusal: { ...REFUSAL, reason: 'queue_full' }, locale: 'en' });
    expect(await comments()).toHaveLength(3);
  });

  test('is said although somebody else has written its marker', async () => {
    await stage.octo.issues.createComment({
      ...DEMO,
      issue_number: issue.number,
      body: `${refusalMarker(REFUSAL)}\n\nhello`,
    });
    await activities().writeRefusal({ issue, refusal: REFUSAL, locale: 'en' });
    expect(await comments()).toHaveLength(2);
  });

  test.each<[Locale, RegExp]>([
    ['en', /No run was started/],
    ['ru', /Агент не запущен/],
  ])('is said in the language of the project: %s', async (locale, title) => {
    await tables.db.update(projects).set({ locale });
    await activities().writeRefusal({ issue, refusal: REFUSAL, locale: await localeOfProject() });
    expect((await comments())[0]).toMatch(title);
  });
});
