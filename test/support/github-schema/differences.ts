/**
 * Where the emulator is not as GitHub's published descriptions say, and why. test/emulators/github/documented.test.ts fails when one
 * of them is no longer needed.
 */

export interface Difference {
  /** Of a finding in words, as `issues/get answer .user.login is missing`. */
  readonly finding: RegExp;
  readonly reason: string;
}

export const DIFFERENCES: readonly Difference[] = [
  {
    finding: / answer 304 is not documented$/,
    reason: 'GitHub answers conditional requests for every read, and describes that in one place ("Best practices").',
  },
  {
    finding: / answer 40[134] is not documented$/,
    reason:
      'GitHub answers so wherever a token is wrong, a right is missing, or a thing is gone or not shown ("Troubleshooting the REST API"); its description says so of some operations only.',
  },
  {
    finding: / answer 4\d\d \.status is not documented$/,
    reason: 'GitHub repeats the status in the body of every error; its description names that in one of three forms.',
  },
  {
    finding: /^pulls\/list answer \[\]\.labels\[\]\.description must be string$/,
    reason: 'GitHub gives null for a label without a description, as it documents for labels themselves.',
  },
  {
    finding: / delivery .*\.user_view_type is not documented$/,
    reason: 'GitHub sends it; the schemas of webhooks are older. The description of the API has it.',
  },
  {
    finding: /^pull_request\.\w+ delivery \.pull_request\.(head\.repo|merged_by) is of no documented form$/,
    reason: 'Only because of user_view_type inside: the schemas allow a choice of forms there.',
  },
];
