/** What the platform's policy says of blocks of IP addresses; src/network/address-blocks.ts reads and compares them. Pure. */

/** The most blocks that a project lists: they travel with each of its runs. */
export const PROJECT_BLOCKS = 50;

/** Where clouds answer a machine that asks for its own tokens: AWS, Azure, Google Cloud, Alibaba. No agent may reach them. */
export const METADATA_BLOCKS = [
  '169.254.0.0/16',
  '168.63.129.16/32',
  '100.100.100.200/32',
  'fe80::/10',
  'fd00:ec2::254/128',
  'fd20:ce::254/128',
] as const;
