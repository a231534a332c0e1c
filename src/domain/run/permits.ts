/**
 * How many runs work at once, and whose turn is next. Roles are limited in each project,
 * projects in all, and the installation. A project, or a role of it, that is full never holds up another.
 */
import { ROLES, type Role } from '../stages/stages.ts';

/** Runs that may work at once, each limit from 1. */
export interface RunLimits {
  readonly installation: number;
  /** In one project, all roles together. */
  readonly project: number;
  /** In one project. */
  readonly roles: Readonly<Record<Role, number>>;
}

/** What holds unless an installation says otherwise (docs/operations.md). */
export const RUN_LIMITS: RunLimits = {
  installation: 50,
  project: 8,
  roles: Object.fromEntries(ROLES.map(({ role, atOnce }) => [role, atOnce])) as Record<Role, number>,
};

/** A run that asks for its turn. */
export interface CapacityRequest {
  readonly runId: string;
  readonly project: string;
  readonly role: Role;
  /** When it asked first. ISO 8601. */
  readonly at: string;
}

/** Plain JSON. */
export interface CapacityState {
  /** Those whose turn it is, until they leave. */
  readonly holders: readonly CapacityRequest[];
  /** In the order in which they asked. */
  readonly waiting: readonly CapacityRequest[];
  /** The number of the last turn that each project was given; forgotten when it is idle and nobody waits anywhere. */
  readonly turns: Readonly<Record<string, number>>;
}

/** What a run is told that asks; `place` is its place in the queue of its project, from 1. */
export type CapacityAnswer = { readonly granted: true } | { readonly granted: false; readonly place: number };

/** The state after a change, and the runs whose turn came with it, in the order in which it came. */
export interface CapacityChange {
  readonly state: CapacityState;
  readonly granted: readonly string[];
}

/** Nobody works, nobody waits. */
export const IDLE: CapacityState = { holders: [], waiting: [], turns: {} };

/** A run asks for its turn. Asking twice changes nothing. */
export function ask(state: CapacityState, request: CapacityRequest, limits: RunLimits): CapacityChange {
  const known = [...state.holders, ...state.waiting].some(({ runId }) => runId === request.runId);
  return grant(known ? state : { ...state, waiting: [...state.waiting, request] }, limits);
}

/** A run gives up its turn, or its place in the queue. Leaving twice, or without having asked, changes nothing. */
export function leave(state: CapacityState, runId: string, limits: RunLimits): CapacityChange {
  const others = (run: CapacityRequest): boolean => run.runId !== runId;
  return grant({ ...state, holders: state.holders.filter(others), waiting: state.waiting.filter(others) }, limits);
}

/** Gives turns for as long as somebody may have one. */
export function grant(state: CapacityState, limits: RunLimits): CapacityChange {
  const granted: string[] = [];
  let now = state;
  for (let next = whoseTurn(now, limits); next; next = whoseTurn(now, limits)) {
    const { runId, project } = next;
    const waiting = now.waiting.filter((run) => run.runId !== runId);
    const turns = { ...now.turns, [project]: 1 + Math.max(0, ...Object.values(now.turns)) };
    now = { holders: [...now.holders, next], waiting, turns };
    granted.push(runId);
  }
  return { state: now.waiting.length > 0 ? now : { ...now, turns: turnsOfHolders(now) }, granted };
}

/** The place of a run that waits in the queue of its project, from 1; null for a run that does not wait. */
export function place(state: CapacityState, runId: string): number | null {
  const project = state.waiting.find((run) => run.runId === runId)?.project;
  const queue = state.waiting.filter((run) => run.project === project);
  return project === undefined ? null : queue.findIndex((run) => run.runId === runId) + 1;
}

/**
 * The next turn is for the project that has the fewest, then for the one whose last turn is longest ago, so that a long queue
 * does not hold up a short one, then for who waits longest. Within a project it is first come first served among those whose
 * role is not full.
 */
function whoseTurn({ holders, waiting, turns }: CapacityState, limits: RunLimits): CapacityRequest | undefined {
  if (waiting.length === 0 || holders.length >= limits.installation) return undefined;
  const held = countHolders(holders);
  const lastTurns = new Map(Object.entries(turns));
  let next: CapacityRequest | undefined;
  let fewest = limits.project;
  let longestAgo = 0;
  for (const run of waiting) {
    const { all, roles } = held.get(run.project) ?? NONE;
    const lastTurn = lastTurns.get(run.project) ?? 0;
    if (all >= limits.project || (roles.get(run.role) ?? 0) >= limits.roles[run.role]) continue;
    if (next && (all > fewest || (all === fewest && lastTurn >= longestAgo))) continue;
    next = run;
    fewest = all;
    longestAgo = lastTurn;
  }
  return next;
}

function turnsOfHolders({ holders, turns }: CapacityState): Record<string, number> {
  const projects = new Set(holders.map(({ project }) => project));
  return Object.fromEntries(Object.entries(turns).filter(([project]) => projects.has(project)));
}

interface Held {
  readonly all: number;
  readonly roles: ReadonlyMap<Role, number>;
}

const NONE: Held = { all: 0, roles: new Map() };

function countHolders(holders: readonly CapacityRequest[]): Map<string, Held> {
  const held = new Map<string, Held>();
  for (const { project, role } of holders) {
    const { all, roles } = held.get(project) ?? NONE;
    held.set(project, { all: all + 1, roles: new Map(roles).set(role, (roles.get(role) ?? 0) + 1) });
  }
  return held;
}
