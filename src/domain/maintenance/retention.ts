/** What is kept of a delivery's body when nobody needs the whole any more. Pure. */

/** Days for which each kind of record is kept; 0: for ever. */
export interface Retention {
  /** Bodies of deliveries, from their arrival. */
  readonly bodiesDays: number;
  /** Logs, from the end of their run. */
  readonly logsDays: number;
  /** Conversations and commits that could not be pushed, of closed issues, from the end of their run. */
  readonly conversationsDays: number;
  /** Bodies of status comments, of closed issues, from the end of their run. */
  readonly statusCommentsDays: number;
}

type Fields = Readonly<Record<string, unknown>>;

const KEPT: Readonly<Record<string, readonly string[]>> = {
  issue: ['number', 'updated_at'],
  pull_request: ['number', 'updated_at'],
  label: ['name'],
  sender: ['id'],
  review: ['id'],
  repository: ['id'],
};

/** The body without what people wrote: ids, numbers and times, by which a sweep knows the event that it reported. */
export function leanBody(body: unknown): Fields {
  const given = (typeof body === 'object' && body !== null ? body : {}) as Fields;
  const objects = Object.entries(KEPT).flatMap(([name, fields]) => {
    const value = given[name];
    if (typeof value !== 'object' || value === null) return [];
    return [[name, Object.fromEntries(fields.map((field) => [field, (value as Fields)[field]]))] as const];
  });
  return { lean: true, action: given['action'], ...Object.fromEntries(objects) };
}
