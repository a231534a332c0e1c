/** The platform's policy on blocks of IP addresses; src/network/address-blocks.ts parses and compares them. Pure. */

/** The most blocks of a project: they are part of the input of each of its runs. */
export const PROJECT_BLOCKS = 50;

/**
 * The metadata services of clouds, which give a machine its tokens: AWS, Azure, Google Cloud, Alibaba. No agent may reach them.
 */
export const METADATA_BLOCKS = [
  '169.254.0.0/16',
  '168.63.129.16/32',
  '100.100.100.200/32',
  'fe80::/10',
  'fd00:ec2::254/128',
  'fd20:ce::254/128',
] as const;
