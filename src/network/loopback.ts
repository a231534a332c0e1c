import ipaddr from 'ipaddr.js';

/** Whether this is an address, without brackets, that only its own machine reaches: `127.0.0.0/8` or `::1`. */
export function isLoopback(address: string): boolean {
  return ipaddr.isValid(address) && ipaddr.parse(address).range() === 'loopback';
}
