/** Tool calls that waited for people: performed when they are approved, and ended with the JSON that their agent reads. */
import { withoutInvisible } from '../../src/domain/invisible.ts';
import type { Database } from '../../src/store/connection/database.ts';
import { findCall, moveCall, type ToolCall } from '../../src/store/runs/tool-calls.ts';
import { classified, permanent } from '../failures.ts';

/** What performs approved calls; the worker's wiring has one performer for each tool that may need an approval. */
export interface CallPerformer {
  /**
   * Looks at the target's state again, and performs the call. It may be called again with the same `id` after a crash, and then
   * finds what it has done. An error is retried if it may pass. The result has no secret.
   */
  perform(call: ToolCall): Promise<{ readonly status: 'ok' | 'failed'; readonly [field: string]: unknown }>;
}

/** How a call ended, and its result's JSON: the next message of the conversation, byte for byte. */
export interface EndedCall {
  readonly state: ToolCall['state'];
  readonly result: string;
}

/** What ends a call that the platform does not perform. */
export type CallEnd =
  | { readonly status: 'denied'; readonly by: string; readonly reason: string }
  | { readonly status: 'failed'; readonly reason: string }
  /** Of a tool that asks people. `option`: the id of the chosen option; null for a free text. */
  | { readonly status: 'answered'; readonly option: string | null; readonly text: string; readonly by: string };

/** Bytes of a result: it goes through the run's history and into the conversation. */
const RESULT_BYTES = 64 * 1024;

export function createCallActivities({ db, performer }: { readonly db: Database; readonly performer: CallPerformer }) {
  async function ended(id: string): Promise<EndedCall | undefined> {
    const row = await theCall(db, id);
    return row.result !== null && row.state !== 'requested' && row.state !== 'approved'
      ? { state: row.state, result: row.result }
      : undefined;
  }

  async function end(row: ToolCall, to: 'applied' | 'failed' | 'denied', result: object): Promise<EndedCall> {
    const json = JSON.stringify({ tool: row.tool, request: row.id, ...result });
    const fits = Buffer.byteLength(json) <= RESULT_BYTES;
    await moveCall(db, row.id, to, fits ? json : tooLong(row));
    const done = await ended(row.id);
    if (!done) throw permanent('CallNotOpen', `call ${row.id} was ended without a result`);
    return done;
  }

  return {
    /**
     * Performs an approved call. Repeated, it returns the stored result. Fails for good if the stored call is not the one that was
     * approved (`digest`), or was denied or given up meanwhile.
     */
    async performCall({ call, digest }: { call: string; digest: string }): Promise<EndedCall> {
      const before = await ended(call);
      if (before) return before;
      const row = await theCall(db, call);
      if (row.digest !== digest)
        throw permanent('CallChanged', `call ${call} is not the one that was approved: its digest is ${row.digest}`);
      if (!(await moveCall(db, call, 'approved')))
        throw permanent('CallNotOpen', `call ${call} cannot be performed: it is ${row.state}`);
      const result = await classified(() => performer.perform(row));
      return end(row, result.status === 'ok' ? 'applied' : 'failed', result);
    },

    /** Ends a call without performing it. Repeated, it returns the stored result. */
    async endCall({ call, end: how }: { call: string; end: CallEnd }): Promise<EndedCall> {
      const before = await ended(call);
      if (before) return before;
      const { status, ...rest } = how;
      const state = status === 'answered' ? 'applied' : status;
      return end(await theCall(db, call), state, { status, ...visible(rest) });
    },
  };
}

async function theCall(db: Database, id: string): Promise<ToolCall> {
  const row = await findCall(db, id);
  if (!row) throw permanent('CallNotFound', `there is no tool call ${id}`);
  return row;
}

function tooLong({ id, tool }: ToolCall): string {
  const reason = `the result is longer than ${RESULT_BYTES / 1024} KiB and is left out`;
  return JSON.stringify({ tool, request: id, status: 'result_too_long', reason });
}

/** Texts by people, without what cannot be seen in them. */
function visible(fields: Readonly<Record<string, string | null>>): Record<string, string | null> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, text]) => [name, text === null ? null : withoutInvisible(text).text]),
  );
}
