import ipaddr from 'ipaddr.js';

/** True for a loopback address, `127.0.0.0/8` or `::1` without brackets. */
export function isLoopback(address: string): boolean {
  return ipaddr.isValid(address) && ipaddr.parse(address).range() === 'loopback';
}
