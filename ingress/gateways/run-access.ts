/** Authenticates run tokens, for all endpoints of agents. */
import type { AssignmentRow } from '../../src/store/runs/assignments.ts';
import { findAssignment } from '../../src/store/runs/assignments.ts';
import type { Database } from '../../src/store/connection/database.ts';

/** The narrow port of src/adapters/run-tokens. */
export interface RunTokenVerifier {
  verify(token: string): { runId: string; attempt: number } | undefined;
}

export interface RunAccess {
  /** The run of a token that is good, of the run's present attempt, not revoked, and of a run that is not over; else undefined. */
  open(token: string | undefined): Promise<AssignmentRow | undefined>;
}

/** What the routes of the agent API know of a request. */
export interface RunEnv {
  readonly Variables: {
    run: AssignmentRow;
    /** Counts bytes of a body. */
    spend: (bytes: number) => void;
  };
}

export function createRunAccess(db: Database, tokens: RunTokenVerifier): RunAccess {
  return {
    async open(token) {
      const claims = token === undefined ? undefined : tokens.verify(token);
      if (!claims) return undefined;
      const assignment = await findAssignment(db, claims.runId);
      if (!assignment || assignment.closedAt !== null) return undefined;
      if (assignment.attempt !== claims.attempt || claims.attempt <= assignment.revokedAttempt) return undefined;
      return assignment;
    },
  };
}

/** The token of `Authorization: Bearer …`. */
export function bearer(header: string | undefined): string | undefined {
  return /^Bearer ([\x21-\x7e]{1,500})$/i.exec(header ?? '')?.[1];
}

/** The password of `Authorization: Basic …`; git sends the run token so. */
export function basicPassword(header: string | undefined): string | undefined {
  const encoded = /^Basic ([A-Za-z0-9+/=]{1,1000})$/i.exec(header ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const [, password] = /^[^:]*:(.*)$/s.exec(Buffer.from(encoded, 'base64').toString('utf8')) ?? [];
  return password;
}
