/** Workflow histories, reduced to what a measurement looks at. */
import type { Client } from '@temporalio/client';

export interface HistoryEvent {
  readonly id: number;
  /** In ms since 1970. */
  readonly at: number;
  /** As `activityTaskScheduled`. */
  readonly type: string;
  /** Of an activity's events: its name. */
  readonly activity: string | null;
  /** Of an activity's start: which attempt it was, from 1. */
  readonly attempt: number;
}

interface Attributes {
  readonly activityType?: { readonly name?: string | null } | null;
  readonly scheduledEventId?: unknown;
  readonly attempt?: number | null;
}

/** Reads the history of a workflow's present run. */
export async function readHistory(client: Client, workflowId: string): Promise<HistoryEvent[]> {
  const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
  const scheduled = new Map<string, string>();
  return (events ?? []).map((event) => {
    const [key = '', attributes = {}] = attributesOf(event);
    const own = attributes.activityType?.name;
    if (own) scheduled.set(String(event.eventId), own);
    const { seconds, nanos } = event.eventTime ?? {};
    return {
      id: Number(event.eventId),
      at: Number(seconds) * 1000 + (nanos ?? 0) / 1e6,
      type: key.replace(/EventAttributes$/, ''),
      activity: own ?? scheduled.get(String(attributes.scheduledEventId)) ?? null,
      attempt: attributes.attempt ?? 1,
    };
  });
}

/** Events are protobuf messages: one of their attributes is set. */
function attributesOf(event: object): [string, Attributes] | [] {
  const found = Object.entries(event).find(([key, value]) => key.endsWith('EventAttributes') && value);
  return (found as [string, Attributes] | undefined) ?? [];
}
