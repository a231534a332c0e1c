/** When the text of an issue was edited, which GitHub's REST API does not say. */
import type { Octokit } from '@octokit/rest';
import type { IssueRef } from '../../domain/issue/facts.ts';

const EDITS = `query ($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) {
    issue(number: $number) {
      lastEditedAt
      timelineItems(last: 1, itemTypes: [RENAMED_TITLE_EVENT]) { nodes { ... on RenamedTitleEvent { createdAt } } }
    }
  }
}`;

interface EditsAnswer {
  readonly repository: {
    readonly issue: {
      readonly lastEditedAt: string | null;
      readonly timelineItems: { readonly nodes: readonly { readonly createdAt?: string }[] };
    } | null;
  } | null;
}

export function createEdits(octokit: Octokit) {
  return {
    /** When somebody last edited the title or the text of an issue, ISO 8601; null if nobody ever did. */
    async readLastEdit({ owner, name, number }: IssueRef): Promise<string | null> {
      const { repository } = await octokit.graphql<EditsAnswer>(EDITS, { owner, name, number });
      const { lastEditedAt = null, timelineItems } = repository?.issue ?? {};
      const times = [lastEditedAt, timelineItems?.nodes[0]?.createdAt ?? null].flatMap((at) => at ?? []);
      return times.toSorted((one, other) => Date.parse(one) - Date.parse(other)).at(-1) ?? null;
    },
  };
}
