/** Prints the audit trail. */
import type { EventView } from '../../../ingress/api/views.ts';
import type { Session } from '../client/session.ts';
import { paint, plain } from '../../terminal/terminal.ts';

/** Prints events in their order. */
export function printEvents({ terminal }: Session, events: readonly EventView[]): void {
  for (const { occurredAt, text, actorType, actorId } of events) {
    const by = actorType === 'human' ? ` (@${actorId})` : '';
    const at = paint(terminal, 'dim', occurredAt.slice(0, 19).replace('T', ' '));
    terminal.out(`${at}  ${plain(`${text}${by}`)}`);
  }
}
