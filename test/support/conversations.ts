/** Stored conversations, for tests of whole stacks. */
import type { Sql } from 'postgres';

/** The conversation of a run as it is stored; undefined if there is none. */
export async function storedConversation(
  sql: Sql,
  runId: string,
): Promise<{ readonly threadId: string; readonly text: string } | undefined> {
  const [row] = await sql<{ thread_id: string; content: Buffer }[]>`
    select thread_id, (
      select string_agg(part.bytes, ''::bytea order by part.n) from agent_conversation_parts part
      where part.run_id = conversation.run_id and part.version = conversation.version
    ) as content
    from agent_conversations conversation where run_id = ${runId}`;
  return row && { threadId: row.thread_id, text: String(row.content) };
}
