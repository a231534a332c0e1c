/**
 * Limits of how many runs work at once, and the order in which permits are granted. There are limits for each role in a
 * project, for each project, and for the installation. A full project or role never blocks another.
 */
import { ROLES, type Role } from '../stages/stages.ts';

/** The numbers of runs that may work at once; each limit is at least 1. */
export interface RunLimits {
  readonly installation: number;
  /** In one project, all roles together. */
  readonly project: number;
  /** In one project. */
  readonly roles: Readonly<Record<Role, number>>;
}

/** The defaults (docs/operations.md). */
export const RUN_LIMITS: RunLimits = {
  installation: 50,
  project: 8,
  roles: Object.fromEntries(ROLES.map(({ role, atOnce }) => [role, atOnce])) as Record<Role, number>,
};

/** A run that asks for a permit. */
export interface PermitRequest {
  readonly runId: string;
  readonly project: string;
  readonly role: Role;
  /** When it asked for the first time. ISO 8601. */
  readonly at: string;
}

/** Plain JSON. */
export interface PermitState {
  /** Runs with a permit. */
  readonly holders: readonly PermitRequest[];
  /** Waiting runs, in the order in which they asked. */
  readonly waiting: readonly PermitRequest[];
  /**
   * The number of the last permit that each project was granted; forgotten when the project is idle and no run waits anywhere.
   */
  readonly grants: Readonly<Record<string, number>>;
}

/** The answer to a run that asks; `position` is its position in the queue of its project, from 1. */
export type PermitAnswer = { readonly granted: true } | { readonly granted: false; readonly position: number };

/** The new state, and the runs that were granted a permit, in order. */
export interface PermitChange {
  readonly state: PermitState;
  readonly granted: readonly string[];
}

/** No run works, no run waits. */
export const IDLE: PermitState = { holders: [], waiting: [], grants: {} };

/** A run asks for a permit. Idempotent. */
export function acquire(state: PermitState, request: PermitRequest, limits: RunLimits): PermitChange {
  const known = [...state.holders, ...state.waiting].some(({ runId }) => runId === request.runId);
  return grant(known ? state : { ...state, waiting: [...state.waiting, request] }, limits);
}

/** A run gives back its permit, or its position in the queue. Idempotent; a run that never asked changes nothing. */
export function release(state: PermitState, runId: string, limits: RunLimits): PermitChange {
  const others = (run: PermitRequest): boolean => run.runId !== runId;
  return grant({ ...state, holders: state.holders.filter(others), waiting: state.waiting.filter(others) }, limits);
}

/** Grants permits until no waiting run may have one. */
export function grant(state: PermitState, limits: RunLimits): PermitChange {
  const granted: string[] = [];
  let now = state;
  for (let next = nextToGrant(now, limits); next; next = nextToGrant(now, limits)) {
    const { runId, project } = next;
    const waiting = now.waiting.filter((run) => run.runId !== runId);
    const grants = { ...now.grants, [project]: 1 + Math.max(0, ...Object.values(now.grants)) };
    now = { holders: [...now.holders, next], waiting, grants };
    granted.push(runId);
  }
  return { state: now.waiting.length > 0 ? now : { ...now, grants: grantsOfHolders(now) }, granted };
}

/** The position of a run that waits in the queue of its project, from 1; null for a run that does not wait. */
export function queuePosition(state: PermitState, runId: string): number | null {
  const project = state.waiting.find((run) => run.runId === runId)?.project;
  const queue = state.waiting.filter((run) => run.project === project);
  return project === undefined ? null : queue.findIndex((run) => run.runId === runId) + 1;
}

/**
 * The next permit goes to the project with the fewest, then to the one whose last grant is the longest ago, so that a long
 * queue does not block a short one, then to the run that waits the longest. Within a project it is first come, first served
 * among runs whose role is not full.
 */
function nextToGrant({ holders, waiting, grants }: PermitState, limits: RunLimits): PermitRequest | undefined {
  if (waiting.length === 0 || holders.length >= limits.installation) return undefined;
  const held = countHolders(holders);
  const lastGrants = new Map(Object.entries(grants));
  let next: PermitRequest | undefined;
  let fewest = limits.project;
  let longestAgo = 0;
  for (const run of waiting) {
    const { all, roles } = held.get(run.project) ?? NONE;
    const lastGrant = lastGrants.get(run.project) ?? 0;
    if (all >= limits.project || (roles.get(run.role) ?? 0) >= limits.roles[run.role]) continue;
    if (next && (all > fewest || (all === fewest && lastGrant >= longestAgo))) continue;
    next = run;
    fewest = all;
    longestAgo = lastGrant;
  }
  return next;
}

function grantsOfHolders({ holders, grants }: PermitState): Record<string, number> {
  const projects = new Set(holders.map(({ project }) => project));
  return Object.fromEntries(Object.entries(grants).filter(([project]) => projects.has(project)));
}

interface Held {
  readonly all: number;
  readonly roles: ReadonlyMap<Role, number>;
}

const NONE: Held = { all: 0, roles: new Map() };

function countHolders(holders: readonly PermitRequest[]): Map<string, Held> {
  const held = new Map<string, Held>();
  for (const { project, role } of holders) {
    const { all, roles } = held.get(project) ?? NONE;
    held.set(project, { all: all + 1, roles: new Map(roles).set(role, (roles.get(role) ?? 0) + 1) });
  }
  return held;
}
