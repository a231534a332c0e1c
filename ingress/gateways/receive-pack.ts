/** Parses the commands of a push in git's protocol (gitprotocol-pack). */

/** One ref that a push would change. */
export interface RefCommand {
  readonly oldId: string;
  readonly newId: string;
  readonly ref: string;
}

export interface PushHead {
  readonly commands: readonly RefCommand[];
  readonly capabilities: readonly string[];
  /** Bytes before the pack. */
  readonly length: number;
}

const NO_OBJECT = /^0+$/;
/** What a shallow clone says of itself before its commands. */
const SHALLOW = /^shallow ([0-9a-f]{40}|[0-9a-f]{64})$/;
/** The longest content of a pkt-line (gitprotocol-common), less the band's number. */
const BAND_BYTES = 65_515;
const SHOWN_REF_CHARACTERS = 200;

/** Reads the commands before the pack. Undefined while the buffer does not hold them all; throws on what is no push. */
export function readPushHead(buffer: Buffer): PushHead | undefined {
  const commands: RefCommand[] = [];
  let capabilities: string[] = [];
  let at = 0;
  for (;;) {
    if (buffer.length < at + 4) return undefined;
    const digits = buffer.toString('latin1', at, at + 4);
    if (!/^[0-9a-f]{4}$/i.test(digits)) throw new Error('not a pkt-line');
    const length = Number.parseInt(digits, 16);
    if (length === 0) return { commands, capabilities, length: at + 4 };
    if (length < 4) throw new Error('not a pkt-line of a push');
    if (buffer.length < at + length) return undefined;
    const line = buffer.toString('utf8', at + 4, at + length).replace(/\n$/, '');
    at += length;
    if (commands.length === 0 && SHALLOW.test(line)) continue;
    const [command = '', offered] = line.split('\0');
    if (offered !== undefined) capabilities = offered.trim().split(' ');
    const [, oldId, newId, ref] = /^([0-9a-f]{40,64}) ([0-9a-f]{40,64}) (\S+)$/.exec(command) ?? [];
    if (oldId === undefined || newId === undefined || ref === undefined) throw new Error('not a command of a push');
    commands.push({ oldId, newId, ref });
  }
}

/** The reason to reject a push; only an update of the run's own branch is accepted. */
export function refusePush(commands: readonly RefCommand[], branch: string): string | undefined {
  const allowed = `refs/heads/${branch}`;
  const foreign = commands.find(({ ref }) => ref !== allowed);
  if (foreign) return `this run may push to ${branch} only, not to ${foreign.ref.slice(0, SHOWN_REF_CHARACTERS)}`;
  if (commands.some(({ newId }) => NO_OBJECT.test(newId))) return `this run may not delete ${branch}`;
  return commands.length > 1 ? `this run may push ${branch} once in a push` : undefined;
}

/** Whether the id stands for no object: the ref does not exist yet, or not any more. */
export function isNoObject(id: string): boolean {
  return NO_OBJECT.test(id);
}

/**
 * Adds the capability `no-thin` to the start of git's answer to `info/refs?service=git-receive-pack`, so that a push holds all
 * that its objects are deltas of. Undefined while the buffer does not hold the first ref.
 */
export function withoutThinPacks(buffer: Buffer): Buffer | undefined {
  // A pkt-line with the service, a flush, and a pkt-line with the first ref and the capabilities.
  let at = 0;
  for (;;) {
    if (buffer.length < at + 4) return undefined;
    const length = Number.parseInt(buffer.toString('latin1', at, at + 4), 16);
    if (Number.isNaN(length) || (length > 0 && length < 4)) return buffer;
    if (length === 0) {
      at += 4;
      continue;
    }
    if (buffer.length < at + length) return undefined;
    const content = buffer.subarray(at + 4, at + length);
    if (!content.includes(0)) {
      at += length;
      continue;
    }
    const more = Buffer.concat([
      Buffer.from(content.toString('latin1').trimEnd(), 'latin1'),
      Buffer.from(' no-thin\n'),
    ]);
    return Buffer.concat([buffer.subarray(0, at), line(more), buffer.subarray(at + length)]);
  }
}

/** Git's own answer to a refused push, so that git can say why. */
export function refusal({ commands, capabilities }: Omit<PushHead, 'length'>, reason: string): Buffer {
  const report = Buffer.concat([
    line('unpack ok\n'),
    ...commands.map(({ ref }) => line(`ng ${ref} ${reason}\n`)),
    Buffer.from('0000'),
  ]);
  if (!capabilities.includes('side-band-64k')) return report;
  const pieces: Buffer[] = [];
  for (let from = 0; from < report.length; from += BAND_BYTES) {
    pieces.push(line(Buffer.concat([Buffer.from([1]), report.subarray(from, from + BAND_BYTES)])));
  }
  return Buffer.concat([...pieces, Buffer.from('0000')]);
}

function line(content: string | Buffer): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([Buffer.from((bytes.length + 4).toString(16).padStart(4, '0')), bytes]);
}
