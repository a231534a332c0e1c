/**
 * CIDR blocks that agents may reach, in the notation of network policies: `203.0.113.0/24`, `2001:db8::/32`. They are parsed
 * at the edges: the configuration, the API, the command line.
 */
import ipaddr from 'ipaddr.js';
import { METADATA_BLOCKS, PROJECT_BLOCKS } from '../domain/workspace/address-blocks.ts';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Blocks = { readonly blocks: readonly string[] } | { readonly problem: string };

/** The blocks without duplicates, single addresses as blocks of one; or the problem of the first invalid entry. */
export function readBlocks(entries: readonly string[]): Blocks {
  const blocks = new Set<string>();
  for (const entry of entries) {
    const read = readBlock(entry);
    if ('problem' in read) return { problem: `${entry || 'an empty entry'} ${read.problem}` };
    blocks.add(read.block);
  }
  return { blocks: [...blocks] };
}

/** As {@link readBlocks}, for a project: at most {@link PROJECT_BLOCKS}, and none within the metadata addresses of clouds. */
export function readProjectBlocks(entries: readonly string[]): Blocks {
  if (entries.length > PROJECT_BLOCKS)
    return { problem: `there are ${entries.length}, and may be ${PROJECT_BLOCKS}: list wider blocks` };
  const read = readBlocks(entries);
  if ('problem' in read) return read;
  const kept = read.blocks.find((block) => METADATA_BLOCKS.some((metadata) => isWithin(block, metadata)));
  if (kept === undefined) return read;
  return { problem: `${kept} is a metadata address, where clouds hand out a machine's tokens; no agent may reach it` };
}

/** The metadata blocks within a larger block of {@link readBlocks}, which no agent may reach. */
export function metadataIn(block: string): readonly string[] {
  return METADATA_BLOCKS.filter((metadata) => metadata !== block && isWithin(metadata, block));
}

function isWithin(inner: string, outer: string): boolean {
  const [address, length] = ipaddr.parseCIDR(inner);
  const [outerAddress, outerLength] = ipaddr.parseCIDR(outer);
  return address.kind() === outerAddress.kind() && length >= outerLength && address.match(outerAddress, outerLength);
}

function readBlock(entry: string): { readonly block: string } | { readonly problem: string } {
  const [name = '', length, ...more] = entry.split('/');
  const address = readAddress(name);
  if (!address) return { problem: whyNoAddress(name) };
  const bits = address.kind() === 'ipv4' ? 32 : 128;
  if (more.length > 0 || (length !== undefined && !isLength(length, bits)))
    return { problem: `must end with a length from /0 to /${bits}` };
  if (address.range() === 'ipv4Mapped') return { problem: 'hides an IPv4 address: list that one' };
  const block = `${address.toString()}/${length ?? bits}`;
  const whole = `${startOf(address, block).toString()}/${length ?? bits}`;
  if (whole === block) return { block };
  return { problem: `has host bits set: list ${whole}, or ${name} for the one address` };
}

/** Parses four decimal numbers, or IPv6 in hexadecimal groups without a zone, which is what network policies accept. */
function readAddress(text: string): Address | undefined {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text);
  return /^[0-9a-f:]+$/i.test(text) && ipaddr.IPv6.isValid(text) ? ipaddr.IPv6.parse(text) : undefined;
}

function startOf(address: Address, block: string): Address {
  return address.kind() === 'ipv4'
    ? ipaddr.IPv4.networkAddressFromCIDR(block)
    : ipaddr.IPv6.networkAddressFromCIDR(block);
}

function isLength(text: string, bits: number): boolean {
  return /^(0|[1-9]\d{0,2})$/.test(text) && Number(text) <= bits;
}

/** The problem of an invalid address. */
function whyNoAddress(name: string): string {
  return /[g-z]/i.test(name)
    ? 'is not an address: a network policy can name addresses only, so list those that the host has, like 203.0.113.0/24'
    : 'is neither an IPv4 nor an IPv6 address: list some like 203.0.113.0/24 or 2001:db8::/32';
}
