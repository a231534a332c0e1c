/** Whole runs on Kubernetes: what becomes of a run whose cluster fails it, and of its namespace (docs/reliability.md T40 to T43). */
import type { V1Namespace, V1Pod } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunView } from '../../ingress/api/views.ts';
import { marked } from '../e2e/support/scene.ts';
import { eventually } from '../support/stack.ts';
import { namespaceRef, namespacesOf, refIn } from './support/agents.ts';
import { LONG_MS, openRuns, release, type Runs, SUCCEEDED, type WaitingRun } from './support/runs.ts';

const REPO = 'whole-runs';

let runs: Runs;

describe('a cluster that has the image of the agents', () => {
  beforeAll(async () => {
    runs = await openRuns(REPO);
  });
  afterAll(async () => runs?.close());

  describe('a namespace that is deleted by hand while its agent works', () => {
    let waiting: WaitingRun;
    let first = '';
    let second: V1Pod;

    const held = () => refIn(first, 'ConfigMap', 'held');
    const letGo = async (): Promise<void> => runs.admin.change(held(), { metadata: { finalizers: null } });

    beforeAll(async () => {
      waiting = await runs.waiting('the namespace goes');
      first = waiting.pod.metadata?.namespace ?? '';
      // So long as this is there, the name is not free again.
      const holder = { ...held(), metadata: { ...held().metadata, finalizers: ['codex-k8s.test/held'] } };
      await runs.admin.create(holder);
      await runs.admin.remove(namespaceRef(first));
      second = await eventually(
        'another pod runs',
        async () => {
          const pods = await runs.podsOf(waiting.run.id);
          return pods.find(
            ({ metadata, status }) => metadata?.uid !== waiting.pod.metadata?.uid && status?.phase === 'Running',
          );
        },
        LONG_MS,
      );
    });
    afterAll(async () => letGo().catch(() => undefined));

    test('has the run go on in another namespace of the same workspace', async () => {
      expect(second.metadata?.namespace).not.toBe(first);
      const all = await namespacesOf(runs.admin, first);
      expect(all.map(({ metadata }) => metadata?.name)).toContain(second.metadata?.namespace);
    });

    test('is in the run’s events, with the namespace that took its place', async () => {
      await eventually('the events name the other namespace', async () => {
        const events = await runs.scene.events(waiting.run.id);
        const prepared = events.filter(({ type }) => type === 'run.namespace.prepared');
        return prepared.some(({ payload }) => payload['namespace'] === second.metadata?.namespace);
      });
    });

    test('has the run name the namespace that it is in now', async () => {
      await eventually('the run names the other namespace', async () => {
        const { workspace } = await runs.scene.run(waiting.run.id);
        return workspace === second.metadata?.namespace;
      });
    });

    test('does not keep the run from succeeding, with one pull request', async () => {
      await release(second);
      expect(await runs.endedAtLast(waiting.issue)).toMatchObject({ ...SUCCEEDED, id: waiting.run.id });
      expect(await runs.scene.pullRequestsOf(REPO, waiting.issue)).toHaveLength(1);
    });

    test('leaves nothing, nor does the other one, when the issue is closed', async () => {
      await letGo();
      await runs.closeIssue(waiting.issue);
      const isEmpty = async (): Promise<boolean> => (await namespacesOf(runs.admin, first)).length === 0;
      await eventually('no namespace is left', isEmpty, LONG_MS);
    });
  });

  test('an issue whose agent is Claude Code gets a pull request, and its review a revise in the same conversation', async () => {
    const { person } = runs.scene;
    const issue = await person.openIssue(REPO, { title: 'Paint it green', body: '' });
    await person.label(REPO, issue, '[ai-agent-claude]');
    await person.label(REPO, issue, 'run:dev');
    const work = await runs.endedAtLast(issue);
    expect(work).toMatchObject({ ...SUCCEEDED, cli: 'claude' });
    await person.requestChanges(REPO, work.pullRequest ?? 0, { body: 'Not this green.', comments: [] });
    const revise = await runs.endedAtLast(issue, 1);
    expect(revise).toMatchObject({ ...SUCCEEDED, kind: 'revise', cli: 'claude', threadId: work.threadId });
    await runs.closeIssue(issue);
  });

  describe('a revise', () => {
    let issue: number;
    let work: RunView;
    let before: V1Namespace | undefined;

    const namespaceNow = async (): Promise<V1Namespace | undefined> =>
      runs.admin.find<V1Namespace>(namespaceRef(work.workspace ?? ''));

    beforeAll(async () => {
      issue = await runs.labeled('Paint it blue');
      work = await runs.endedAtLast(issue);
      before = await namespaceNow();
      const review = { body: 'Not this blue.', comments: [] };
      await runs.scene.person.requestChanges(REPO, work.pullRequest ?? 0, review);
    });

    test('works in the very namespace of the work before it', async () => {
      const { workspace } = work;
      expect(await runs.endedAtLast(issue, 1)).toMatchObject({ ...SUCCEEDED, kind: 'revise', workspace });
      expect(before?.metadata?.uid).toEqual(expect.any(String));
      expect((await namespaceNow())?.metadata?.uid).toBe(before?.metadata?.uid);
    });

    test('is over when the issue is closed, and its namespace is removed', async () => {
      await runs.closeIssue(issue);
      await eventually('the namespace is gone', async () => (await namespaceNow()) === undefined, LONG_MS);
    });
  });
});

describe('T42: an image of the agents that cannot be pulled', () => {
  const IMAGE = 'registry.invalid/absent:1';
  const WORDS = "The agent's image cannot be pulled.";
  let issue: number;
  let run: RunView;

  beforeAll(async () => {
    // The probe of the network has the same image: it finds out first.
    runs = await openRuns(REPO, { CODEXK8S_AGENT_IMAGE: IMAGE });
    issue = await runs.labeled('Paint it blue');
    run = await runs.endedAtLast(issue);
  });
  afterAll(async () => runs?.close());

  test('fails the run for this reason, and names the image', () => {
    const detail = expect.stringContaining(IMAGE) as string;
    expect(run).toMatchObject({ status: 'failed', failure: 'image_pull', failureText: WORDS, detail });
  });

  test('is what the status comment on the issue says', async () => {
    const comments = await runs.scene.commentsSaying(REPO, issue, WORDS);
    const comment = comments.find(({ body }) => body.startsWith(marked(run.id)));
    expect(comment?.body).toContain(WORDS);
    expect(comment?.body).toContain(IMAGE);
  });

  test('leaves no pod that might begin later', async () => {
    await eventually('no pod of the run is left', async () => (await runs.podsOf(run.id)).length === 0, LONG_MS);
  });
});
