import { BlockList, isIP } from 'node:net';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { metadataIn, readBlocks, readProjectBlocks } from '../../src/network/address-blocks.ts';

describe('a list of blocks', () => {
  test.each([
    ['203.0.113.0/24', '203.0.113.0/24'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['198.51.100.7', '198.51.100.7/32'],
    ['2001:DB8::/32', '2001:db8::/32'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1/128'],
    ['::1', '::1/128'],
    ['::/0', '::/0'],
  ])('takes %s as %s', (entry, block) => {
    expect(readBlocks([entry])).toEqual({ blocks: [block] });
  });

  test.each([
    ['registry.npmjs.org', /registry\.npmjs\.org is not an address: a network policy can name addresses only/],
    ['https://203.0.113.7', /is not an address/],
    ['fe80::1%eth0', /is not an address/],
    ['203.0.113.0/33', /a length from \/0 to \/32/],
    ['2001:db8::/129', /a length from \/0 to \/128/],
    ['203.0.113.0/', /a length/],
    ['203.0.113.0/24/24', /a length/],
    ['203.0.113.0/-1', /a length/],
    ['203.0.113.7/24', /list 203\.0\.113\.0\/24, or 203\.0\.113\.7 for the one address/],
    ['2001:db8:1::7/32', /list 2001:db8::\/32, or 2001:db8:1::7/],
    ['::ffff:a9fe:a9fe', /hides an IPv4 address/],
    ['203.0.113', /neither an IPv4 nor an IPv6 address/],
    ['203.0.113.256', /neither/],
    ['010.0.0.1', /neither/],
    ['1::2::3', /neither/],
    ['1:2:3:4:5:6:7:8:9', /neither/],
    [':::', /neither/],
    ['', /neither/],
  ])('refuses %s', (entry, problem) => {
    expect(readBlocks(['198.51.100.7', entry])).toEqual({ problem: expect.stringMatching(problem) as string });
  });

  test('names each block once', () => {
    expect(readBlocks(['198.51.100.7', '198.51.100.7/32'])).toEqual({ blocks: ['198.51.100.7/32'] });
  });

  test('reads every IPv6 address as Node does', () => {
    const address = fc.ipV6().filter((text) => !text.includes('.') && !text.toLowerCase().startsWith('::ffff:'));
    fc.assert(
      fc.property(address, (text) => {
        const read = readBlocks([text]);
        const [same = ''] = ('blocks' in read ? read.blocks[0] : '')?.split('/') ?? [];
        const list = new BlockList();
        list.addAddress(text, 'ipv6');
        expect([isIP(same), list.check(same, 'ipv6')]).toEqual([6, true]);
      }),
    );
  });
});

describe("a project's list", () => {
  test('is taken as any other', () => {
    expect(readProjectBlocks(['203.0.113.0/24'])).toEqual({ blocks: ['203.0.113.0/24'] });
  });

  test('may be empty', () => {
    expect(readProjectBlocks([])).toEqual({ blocks: [] });
  });

  test('has at most 50 blocks', () => {
    const entries = Array.from({ length: 51 }, (_, index) => `198.51.100.${index}`);
    expect(readProjectBlocks(entries)).toEqual({ problem: 'there are 51, and may be 50: list wider blocks' });
    expect(readProjectBlocks(entries.slice(1))).toHaveProperty('blocks.length', 50);
  });

  test.each(['169.254.169.254', '169.254.0.0/16', 'fd00:ec2::254', 'fe80::1'])('names no metadata: %s', (entry) => {
    expect(readProjectBlocks([entry])).toEqual({ problem: expect.stringContaining('is a metadata address') as string });
  });
});

describe('what no agent may reach', () => {
  test.each([
    ['203.0.113.0/24', []],
    ['169.0.0.0/8', ['169.254.0.0/16']],
    ['0.0.0.0/0', ['169.254.0.0/16', '168.63.129.16/32', '100.100.100.200/32']],
    ['::/0', ['fe80::/10', 'fd00:ec2::254/128', 'fd20:ce::254/128']],
    ['169.254.0.0/16', []],
  ])('in %s is %j', (block, metadata) => {
    expect(metadataIn(block)).toEqual(metadata);
  });
});
