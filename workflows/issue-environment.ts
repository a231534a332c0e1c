/** The issue's environment is a lease (design.md, decision 10): it is taken, kept for debugging, and given back. */
import { isCancellation, rootCause } from '@temporalio/workflow';
import type { Removal } from '../activities/agents.ts';
import { modeOf } from '../src/domain/environments.ts';
import { issueKey } from '../src/domain/facts.ts';
import type { IssueState, PlannedRun } from '../src/domain/issue-life.ts';
import { environmentName } from '../src/domain/names.ts';
import { environmentHoursOf, type RunSettings } from '../src/domain/settings.ts';
import { roleOf, RUN_DEBUG } from '../src/domain/stages.ts';
import { leaseNamespace, readLabelTruth, readSettings, releaseNamespace, removeEnvironment } from './effects.ts';
import { type Happening, leftOut } from './issue-diary.ts';
import type { IssueInHand } from './issue-in-hand.ts';

/** The environment that the issue has, with a lease that begins anew; else a new one, named as its project says. */
export async function environmentFor(
  { issue, state }: IssueInHand,
  { target }: PlannedRun,
  settings: RunSettings,
): Promise<NonNullable<IssueState['environment']>> {
  const until = new Date(Date.now() + environmentHoursOf(settings, roleOf(target)) * 3_600_000).toISOString();
  if (state.environment) return { ...state.environment, until };
  const { project, namespaceTemplate: template } = settings;
  if (template === undefined || modeOf(target) === 'code-only') return { name: environmentName(project, issue), until };
  return { name: await leaseNamespace({ issueKey: issueKey(issue), project, template }), until, leased: true };
}

/** A conversation ends when nobody says anything, an environment when its lease runs out. */
export async function expire(here: IssueInHand): Promise<void> {
  const { state, since02, discussion } = here;
  const endsAt = discussion.endsAt();
  if (endsAt !== undefined && endsAt <= Date.now())
    return discussion.end('codex-k8s', 'nobody said anything for eight hours');
  if (!state.environment || state.active || Date.parse(state.environment.until) > Date.now()) return;
  if (since02 && (await keptForDebugging(here, state.environment))) return;
  await cleanUp(here, 'ttl_expired');
}

/** `run:debug` keeps an environment until its issue is closed (requirements.md R7): its lease begins anew. */
async function keptForDebugging(
  { issue, state, show }: IssueInHand,
  environment: NonNullable<IssueState['environment']>,
): Promise<boolean> {
  const truth = await readLabelTruth({ issue, label: RUN_DEBUG, facts: [] }).catch(leftOut);
  if (!truth?.labels.some((label) => label.trim().toLowerCase() === RUN_DEBUG)) return false;
  const { environmentHours } = await readSettings({ repositoryId: issue.repositoryId });
  const until = new Date(Date.now() + environmentHours * 3_600_000).toISOString();
  state.environment = { ...environment, until };
  const payload = { namespace: environment.name, reason: 'debug_label_present', until };
  await show([{ type: 'run.namespace.cleanup_skipped', payload }]);
  return true;
}

/** Removes the environment, if there is one, and shows how that went. */
export async function cleanUp({ state, show, issue }: IssueInHand, reason: string): Promise<void> {
  if (!state.environment) return show([]);
  const { name, leased } = state.environment;
  const happened = await removeEnvironment({ environment: name, owner: issueKey(issue) }).then(
    // 0.2.0 answered nothing.
    (removal: Removal | null | undefined): Happening =>
      removal?.held === undefined
        ? { type: 'run.namespace.cleaned', payload: { namespace: name, reason } }
        : { type: 'run.namespace.cleanup_blocked', payload: { namespace: name, reason, held: removal.held } },
    (error: unknown): Happening => {
      if (isCancellation(error)) throw error;
      const failed = rootCause(error) ?? String(error);
      return { type: 'run.namespace.cleanup_failed', payload: { namespace: name, reason, error: failed } };
    },
  );
  // What cannot be removed is held by something, is somebody else's, or a person's to look at: the issue goes on without it.
  state.environment = null;
  if (leased) await releaseNamespace({ issueKey: issueKey(issue) });
  await show([happened]);
}

/** Why an environment goes with its issue. */
export function whyOver(state: IssueState): string {
  return state.gone === undefined ? 'issue_closed' : 'repository_gone';
}
