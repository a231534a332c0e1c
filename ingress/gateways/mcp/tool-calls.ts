/**
 * A call of one of the platform's tools by an agent: checked, put to the policy, performed or parked, recorded. Whatever protocol
 * it came by.
 */
import type { ApprovalPolicy, PolicyDecision } from '../../../src/domain/approvals/policy.ts';
import { evaluatePolicy } from '../../../src/domain/approvals/policy.ts';
import { toolRow, toolsFor, TOOLS, type ToolName } from '../../../src/domain/tools/catalogue.ts';
import type { ToolRun } from '../../../src/domain/tools/tool-run.ts';
import { redactDeep, type Redact } from '../../../src/domain/agent/redaction.ts';
import { appendToolEvent, type ToolEventType } from '../../../src/store/audit/tool-events.ts';
import type { Database } from '../../../src/store/connection/database.ts';
import { findLastEndedCall, findParkedCall, recordCall } from '../../../src/store/runs/tool-calls.ts';
import { notDone, performTool, type ToolPerformers, type ToolResult } from '../../../src/tools/performers.ts';
import { actionsOf, SECRET_FIELDS, TOOL_SCHEMAS, type ToolArgs } from '../../../src/tools/schemas.ts';
import { keepArguments, type ArgumentSealing } from '../../../src/tools/sealed-arguments.ts';

/** What an agent gets. */
export interface ToolAnswer {
  /** JSON. */
  readonly text: string;
  readonly isError: boolean;
}

/** A call that waits for people. */
export interface ParkedCall {
  readonly id: string;
  readonly runId: string;
  readonly attempt: number;
  readonly issueKey: string;
  readonly tool: ToolName;
}

export interface ToolCallPorts {
  readonly db: Database;
  readonly performers: ToolPerformers;
  /** The policy as it is now. */
  readonly policy: (run: ToolRun) => Promise<ApprovalPolicy>;
  readonly sealing: ArgumentSealing;
  /** Told of every call that was parked, also again. What it cannot pass on, the run's workflow finds in the database. */
  readonly onParked: (call: ParkedCall) => Promise<void>;
  readonly onError: (error: unknown) => void;
}

export interface IncomingCall {
  readonly run: ToolRun;
  readonly tool: string;
  readonly args: unknown;
  /** Hides secrets in whatever the agent sent. */
  readonly redact: Redact;
  readonly signal: AbortSignal;
}

export type CallTool = (call: IncomingCall) => Promise<ToolAnswer>;

const RANK = { none: 0, delegated: 1, owner: 2 } as const;

const END_YOUR_TURN = 'End your turn now without calling anything else: you go on with the result when there is one.';

export function createToolCalls(ports: ToolCallPorts): CallTool {
  const { db, performers, policy, sealing, onParked, onError } = ports;

  return async function callTool({ run, tool: name, args: sent, redact, signal }) {
    const startedAt = performance.now();
    const event = async (type: ToolEventType, outcome?: string, digest: string | null = null): Promise<void> =>
      appendToolEvent(db, run, type, {
        tool: shownName(name),
        digest,
        ...(outcome === undefined ? {} : { outcome, milliseconds: Math.round(performance.now() - startedAt) }),
      });
    const refuse = async (outcome: string, message: string): Promise<ToolAnswer> => {
      await event('mcp.tool.failed', outcome);
      return failed({ status: 'failed', reason: 'refused', message });
    };

    const tool = toolsFor(run).find((candidate) => candidate === name);
    if (!tool) return refuse('not_available', `tool ${shownName(name)} is not available for this run`);
    const parsed = TOOL_SCHEMAS[tool].safeParse(sent ?? {});
    if (!parsed.success)
      return refuse('invalid_arguments', `the arguments of ${tool} are wrong: ${problems(parsed.error)}`);
    const args = cleaned(tool, parsed.data, redact);
    const kept = keepArguments(tool, args, run.runId, sealing);
    const { digest } = kept;

    const parked = await findParkedCall(db, run.runId, run.attempt);
    if (parked && parked.digest !== digest)
      return refuse(
        'run_waits',
        `the run waits for a person to decide on ${parked.tool} (${parked.id}). ${END_YOUR_TURN}`,
      );
    await event('mcp.tool.called', undefined, digest);

    const acts = toolRow(tool).effect === 'acts';
    const before = acts && !parked ? await findLastEndedCall(db, run.runId, groupOf(tool)) : undefined;
    if (before?.digest === digest && before.result !== null) {
      await event(before.state === 'denied' ? 'mcp.tool.failed' : 'mcp.tool.succeeded', 'reused', digest);
      const recorded = { ...(JSON.parse(before.result) as ToolResult), reused: true };
      return before.state === 'denied' ? failed(recorded) : done(recorded);
    }

    const current = await policy(run);
    const [action, decision] = strictest(current, run, tool, args);
    const asks = toolRow(tool).effect === 'asks';
    if (parked !== undefined || asks || decision.mode !== 'none') {
      const { runId, attempt } = run;
      const recorded =
        parked ??
        (await recordCall(db, {
          runId,
          attempt,
          tool,
          action,
          ...kept,
          decision,
          policy: current,
          state: 'requested',
        }));
      if (recorded === 'parked') return refuse('run_waits', `the run waits for a person. ${END_YOUR_TURN}`);
      await event('mcp.tool.approval_pending', asks ? 'question' : decision.mode, digest);
      await onParked({ id: recorded.id, runId, attempt, issueKey: run.issueKey, tool }).catch(onError);
      const what = asks ? 'The question is with people.' : `A person has to approve this call (${decision.reason}).`;
      return done({ status: 'approval_required', request: recorded.id, message: `${what} ${END_YOUR_TURN}` });
    }

    let result: ToolResult;
    try {
      result = await performTool(performers, tool, args, { run, key: `${run.runId}:${digest.slice(0, 32)}`, signal });
    } catch (error) {
      onError(error);
      await event('mcp.tool.failed', 'unavailable', digest);
      return failed(notDone('failed', `${tool} could not be carried out just now; try it again in a minute`));
    }
    if (acts) {
      const state = result.status === 'ok' ? 'applied' : 'failed';
      const { runId, attempt } = run;
      await recordCall(db, { runId, attempt, tool, action, ...kept, decision, state, result: JSON.stringify(result) });
    }
    if (result.status === 'ok') await event('mcp.tool.succeeded', result.message, digest);
    else await event('mcp.tool.failed', result.reason, digest);
    return result.status === 'ok' ? done(result) : failed(result);
  };
}

/** The strictest decision about what a call wants to do, and what that is. */
function strictest(
  policy: ApprovalPolicy,
  run: ToolRun,
  tool: ToolName,
  args: ToolArgs<ToolName>,
): readonly [action: string, decision: PolicyDecision] {
  const { role, stage, label, runtime } = run;
  const decide = (action: string): [string, PolicyDecision] => [
    action,
    evaluatePolicy(policy, { role, stage, label, runtime, tool, action }),
  ];
  const [first, ...others] = actionsOf(tool, args);
  return others
    .map(decide)
    .reduce((strict, next) => (RANK[next[1].mode] > RANK[strict[1].mode] ? next : strict), decide(first));
}

/** Calls of a group change the same thing: after another one of them, the same call is a new one. */
function groupOf(tool: ToolName): readonly ToolName[] {
  const labels = 'github_labels_';
  return tool.startsWith(labels) ? TOOLS.map((row) => row.tool).filter((other) => other.startsWith(labels)) : [tool];
}

/** Arguments without secrets in them, other than in fields that are for secrets, and without what Postgres cannot store. */
function cleaned(tool: ToolName, args: ToolArgs<ToolName>, redact: Redact): ToolArgs<ToolName> {
  const clean = redactDeep(args, (text) => redact(text).toWellFormed().replaceAll('\0', '\u{FFFD}'));
  const secret: readonly string[] = SECRET_FIELDS[tool] ?? [];
  return Object.fromEntries(
    Object.entries(clean).map(([field, value]) => [
      field,
      secret.includes(field) ? (args as Record<string, unknown>)[field] : value,
    ]),
  );
}

/** What an agent calls a tool goes into events and answers: a name is short and plain. */
function shownName(name: string): string {
  return name.replaceAll(/[^\w.-]/g, '?').slice(0, 64);
}

function problems({ issues }: { readonly issues: readonly { path: PropertyKey[]; message: string }[] }): string {
  return issues
    .slice(0, 5)
    .map(({ path, message }) => (path.length === 0 ? message : `${path.map(String).join('.')}: ${message}`))
    .join('; ')
    .slice(0, 1000);
}

function done(result: object): ToolAnswer {
  return { text: JSON.stringify(result), isError: false };
}

function failed(result: object): ToolAnswer {
  return { text: JSON.stringify(result), isError: true };
}
