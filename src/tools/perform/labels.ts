/**
 * Labels of the run's issue and pull request. Whether a label needs a person's approval is the policy's business, which has looked
 * at each of them before.
 */
import type { IssueRef } from '../../domain/issue/facts.ts';
import { normalizeLabel } from '../../domain/stages/stages.ts';
import { type ToolContext, type ToolPerformers, type ToolResult } from '../performers.ts';
import { isNotDone, placeOf, unlessGone } from './places.ts';

/** The part of GitHub's client that this file needs. */
export interface GitHubLabels {
  readIssueForAgent(issue: IssueRef): Promise<{ readonly labels: readonly string[] }>;
  addLabel(repository: IssueRef, number: number, label: string): Promise<void>;
  removeLabel(repository: IssueRef, number: number, label: string): Promise<void>;
}

export function createLabelTools(github: GitHubLabels) {
  async function change(
    { run }: ToolContext,
    number: number | undefined,
    { remove, add }: { readonly remove: readonly string[]; readonly add: readonly string[] },
  ): Promise<ToolResult> {
    const place = placeOf(run, number);
    if (isNotDone(place)) return place;
    const before = await unlessGone(github.readIssueForAgent(place));
    if ('status' in before) return before;
    const unwanted = new Set(remove.map(normalizeLabel));
    const present = new Set(before.labels.map(normalizeLabel).filter((label) => !unwanted.has(label)));
    for (const label of before.labels)
      if (unwanted.has(normalizeLabel(label))) await github.removeLabel(place, place.number, label);
    for (const label of add) if (!present.has(normalizeLabel(label))) await github.addLabel(place, place.number, label);
    const { labels } = await github.readIssueForAgent(place);
    return { status: 'ok', message: 'applied', issue_number: place.number, labels };
  }

  return {
    async github_labels_list({ issue_number }, { run }) {
      const place = placeOf(run, issue_number);
      if (isNotDone(place)) return place;
      const found = await unlessGone(github.readIssueForAgent(place));
      if ('status' in found) return found;
      return { status: 'ok', message: 'read', issue_number: place.number, labels: found.labels };
    },
    github_labels_add: ({ issue_number, labels }, context) =>
      change(context, issue_number, { remove: [], add: labels }),
    github_labels_remove: ({ issue_number, labels }, context) =>
      change(context, issue_number, { remove: labels, add: [] }),
    github_labels_transition: ({ issue_number, remove_labels, add_labels }, context) =>
      change(context, issue_number, { remove: remove_labels, add: add_labels }),
  } satisfies ToolPerformers;
}
