/** Logs, conversations and status comments that are not needed any more. Events of the audit trail stay. */
import { sql, type SQL } from 'drizzle-orm';
import type { Database } from '../connection/database.ts';

/** Removes the logs of runs that ended before a time; returns how many runs. */
export async function pruneLogs(db: Database, before: Date, limit: number): Promise<number> {
  const rows = await db.execute<{ id: string }>(sql`
    with old as (
      select id from runs where finished_at < ${before.toISOString()}::timestamptz
        and exists (select 1 from run_log_lines where run_id = runs.id) limit ${limit}
    ), pruned as (delete from run_log_lines where run_id in (select id from old))
    select id from old`);
  return rows.length;
}

/**
 * Removes the conversations, the prompts with the snapshots in them, and the commits that could not be pushed, of such runs of
 * closed issues; returns how many runs. The hashes of prompts and snapshots stay.
 */
export async function pruneConversations(db: Database, before: Date, limit: number): Promise<number> {
  const rows = await db.execute<{ id: string }>(sql`
    with old as (
      ${ofClosedIssues(before)} and (exists (select 1 from agent_conversations where run_id = runs.id)
        or exists (select 1 from kept_commits where run_id = runs.id)
        or exists (select 1 from agent_assignments where run_id = runs.id and (prompt <> '' or snapshot is not null)))
      limit ${limit}
    ), parts as (delete from agent_conversation_parts where run_id in (select id from old)
    ), conversations as (delete from agent_conversations where run_id in (select id from old)
    ), prompts as (update agent_assignments set prompt = '', snapshot = null where run_id in (select id from old)
    ), messages as (update agent_attempts set message = null where run_id in (select id from old)
    ), commits as (delete from kept_commits where run_id in (select id from old)
    ), commit_parts as (delete from kept_commit_parts where run_id in (select id from old))
    select id from old`);
  return rows.length;
}

/** Forgets the status comments of such runs of closed issues, which are not restored any more; returns how many. */
export async function pruneStatusComments(db: Database, before: Date, limit: number): Promise<number> {
  const rows = await db.execute<{ id: string }>(sql`
    with old as (
      ${ofClosedIssues(before)} and exists (select 1 from status_comments where run_id = runs.id) limit ${limit}
    ), pruned as (delete from status_comments where run_id in (select id from old))
    select id from old`);
  return rows.length;
}

/** An open issue goes on with the conversation of a run that ended long ago. */
function ofClosedIssues(before: Date): SQL {
  return sql`select runs.id from runs join issues on issues.key = runs.issue_key
    where issues.state = 'closed' and runs.finished_at < ${before.toISOString()}::timestamptz`;
}
