/**
 * Blocks of IP addresses that agents may reach, as a network policy names them: `203.0.113.0/24`, `2001:db8::/32`. Pure.
 */

/** The most blocks that a project lists: they travel with each of its runs. */
const PROJECT_BLOCKS = 50;

/** Where clouds answer a machine that asks for its own tokens: AWS, Azure, Google Cloud, Alibaba. */
const METADATA = [
  '169.254.0.0/16',
  '168.63.129.16/32',
  '100.100.100.200/32',
  'fe80::/10',
  'fd00:ec2::254/128',
  'fd20:ce::254/128',
];

interface Address {
  readonly value: bigint;
  /** 32 or 128. */
  readonly bits: number;
}

interface Block extends Address {
  /** How many of the first bits all its addresses share. */
  readonly length: number;
}

type Blocks = { readonly blocks: readonly string[] } | { readonly problem: string };

/** The blocks without repetition, an address alone as the block that holds only it; or what is wrong with the first wrong one. */
export function readBlocks(entries: readonly string[]): Blocks {
  const blocks = new Set<string>();
  for (const entry of entries) {
    const read = blockOf(entry);
    if ('problem' in read) return { problem: `${entry || 'an empty entry'} ${read.problem}` };
    blocks.add(textOf(read));
  }
  return { blocks: [...blocks] };
}

/** As {@link readBlocks}, for a project: at most 50, and none that lies within what clouds keep for their machines. */
export function readProjectBlocks(entries: readonly string[]): Blocks {
  if (entries.length > PROJECT_BLOCKS)
    return { problem: `there are ${entries.length}, and may be ${PROJECT_BLOCKS}: list wider blocks` };
  const read = readBlocks(entries);
  if ('problem' in read) return read;
  const kept = read.blocks.find((block) => METADATA.some((metadata) => isWithin(block, metadata)));
  if (kept === undefined) return read;
  return { problem: `${kept} is where clouds give away the tokens of a machine; no agent may reach it` };
}

/** What of a good block no agent may reach: blocks that are smaller than it. */
export function metadataIn(block: string): readonly string[] {
  return METADATA.filter((metadata) => metadata !== block && isWithin(metadata, block));
}

function isWithin(inner: string, outer: string): boolean {
  const [one, other] = [blockOf(inner), blockOf(outer)];
  if ('problem' in one || 'problem' in other || one.bits !== other.bits || one.length < other.length) return false;
  return startOf(one, other.length) === other.value;
}

function blockOf(entry: string): Block | { readonly problem: string } {
  const [name = '', length, ...more] = entry.split('/');
  const address = ipv4(name) ?? ipv6(name);
  if (!address) return { problem: whatElse(name) };
  const { bits } = address;
  if (more.length > 0 || (length !== undefined && !isLength(length, bits)))
    return { problem: `must end with a length from /0 to /${bits}` };
  if (bits === 128 && address.value >> 32n === 0xffffn) return { problem: 'hides an IPv4 address: list that one' };
  const block = { ...address, length: Number(length ?? bits) };
  const start = { ...block, value: startOf(address, block.length) };
  if (start.value === address.value) return block;
  const whole = textOf(start);
  return { problem: `begins inside of a block: list ${whole}, or ${name} for the one address` };
}

function isLength(text: string, bits: number): boolean {
  return /^(0|[1-9]\d{0,2})$/.test(text) && Number(text) <= bits;
}

/** What is wrong with something that is no address. */
function whatElse(name: string): string {
  return /[g-z]/i.test(name)
    ? 'is not an address: a network policy can name addresses only, so list those that the host has, like 203.0.113.0/24'
    : 'is neither an IPv4 nor an IPv6 address: list some like 203.0.113.0/24 or 2001:db8::/32';
}

function startOf({ value, bits }: Address, length: number): bigint {
  const free = BigInt(bits - length);
  return (value >> free) << free;
}

function ipv4(text: string): Address | undefined {
  const bytes = text.split('.');
  if (bytes.length !== 4 || !bytes.every((byte) => isLength(byte, 255))) return undefined;
  return { value: joined(bytes, 8n), bits: 32 };
}

/** Without an IPv4 address at its end, and without a zone. */
function ipv6(text: string): Address | undefined {
  const [head = '', tail, ...more] = text.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const missing = 8 - left.length - right.length;
  if (more.length > 0 || (tail === undefined ? missing !== 0 : missing < 1)) return undefined;
  const groups = [...left, ...Array.from({ length: missing }, () => '0'), ...right];
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  return {
    value: joined(
      groups.map((group) => `0x${group}`),
      16n,
    ),
    bits: 128,
  };
}

function joined(parts: readonly string[], width: bigint): bigint {
  return parts.reduce((sum, part) => (sum << width) | BigInt(part), 0n);
}

function textOf({ value, bits, length }: Block): string {
  const [count, width, radix, dot] = bits === 32 ? [4, 8, 10, '.'] : [8, 16, 16, ':'];
  const parts = Array.from({ length: count }, (_, index) =>
    ((value >> BigInt(width * (count - 1 - index))) % (1n << BigInt(width))).toString(radix),
  ).join(dot);
  return `${bits === 32 ? parts : shortened(parts)}/${length}`;
}

/** The longest row of zero groups, the first of several, becomes `::` (RFC 5952). */
function shortened(groups: string): string {
  const rows = [...groups.matchAll(/(?<![^:])0(:0)+(?![^:])/g)];
  const longest = rows.toSorted((one, other) => other[0].length - one[0].length)[0];
  if (!longest) return groups;
  const before = groups.slice(0, longest.index).replace(/:$/, '');
  const after = groups.slice(longest.index + longest[0].length).replace(/^:/, '');
  return `${before}::${after}`;
}
