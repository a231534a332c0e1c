import type postgres from 'postgres';

/**
 * Texts as an array of Postgres. The driver's own `array` sends a malformed one in the first statement of a pool: it asks Postgres
 * for the types of arrays when it connects, and sends that statement before it has read the answer (postgres.js 3.4.9). A
 * transaction begins with a statement of its own, so `array` will do there.
 */
export function textArray(sql: postgres.Sql | postgres.TransactionSql, texts: readonly string[]): postgres.Fragment {
  return sql`array(select jsonb_array_elements_text(${JSON.stringify(texts)}::text::jsonb))`;
}
