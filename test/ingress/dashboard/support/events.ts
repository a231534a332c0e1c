/** Reads server-sent events as a browser does. */

export interface ReceivedEvent {
  readonly event: string;
  readonly data: string;
  readonly id: string | undefined;
}

export interface EventReader {
  /** The next event; undefined when the stream has ended. */
  next(): Promise<ReceivedEvent | undefined>;
  /** Events until one of that name, that one included. */
  until(name: string): Promise<ReceivedEvent[]>;
  /** All that came so far, as it came. */
  raw(): string;
  /** Goes away, as a browser does that closes a page. */
  leave(): Promise<void>;
}

/** Reads the events of an answer. */
export function readEvents(response: Response): EventReader {
  if (!response.body) throw new Error(`no stream: ${response.status}`);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let all = '';
  let rest = '';

  async function next(): Promise<ReceivedEvent | undefined> {
    for (;;) {
      const end = rest.indexOf('\n\n');
      if (end !== -1) {
        const block = rest.slice(0, end);
        rest = rest.slice(end + 2);
        const event = parse(block);
        if (event) return event;
        continue;
      }
      const { done, value } = await reader.read();
      if (done) return undefined;
      all += value;
      rest += value;
    }
  }

  return {
    next,
    async until(name) {
      const events: ReceivedEvent[] = [];
      for (;;) {
        const event = await next();
        if (!event) throw new Error(`the stream ended before ${name}`);
        events.push(event);
        if (event.event === name) return events;
      }
    },
    raw: () => all,
    leave: () => reader.cancel(),
  };
}

function parse(block: string): ReceivedEvent | undefined {
  const lines = block.split('\n');
  const field = (name: string): string[] =>
    lines.flatMap((line) => (line.startsWith(`${name}: `) ? [line.slice(name.length + 2)] : []));
  const [event] = field('event');
  return event === undefined ? undefined : { event, data: field('data').join('\n'), id: field('id')[0] };
}
