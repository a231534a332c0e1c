/** Confirms with GitHub what a webhook reports. Only reads; safe to repeat. */
import { activityInfo, ApplicationFailure } from '@temporalio/activity';
import { withdrawalsIn } from '../../src/domain/issue/confirmations.ts';
import type { IssueRef } from '../../src/domain/issue/facts.ts';
import type {
  GitHubIssueState,
  GitHubPullRequestState,
  GitHubRepositoryState,
  GitHubReviewState,
  Withdrawal,
} from '../../src/domain/issue/reads.ts';
import { classified } from '../failures.ts';

/** The part of GitHub's client that this file needs. */
export interface GitHubConfirmations {
  readLabels(issue: IssueRef, label: string): Promise<GitHubIssueState>;
  readPullRequest(repository: IssueRef, pullRequest: number): Promise<GitHubPullRequestState>;
  readReview(issue: IssueRef, pullRequest: number, review: number): Promise<GitHubReviewState>;
  /** Fails for another repository of the same name. */
  readRepository(repository: Pick<IssueRef, 'repositoryId' | 'owner' | 'name'>): Promise<GitHubRepositoryState>;
}

/** GitHub may list an event some seconds after its webhook: looks, about a second apart. */
const LOOKS = 5;

export function createConfirmationActivities({ github }: { readonly github: GitHubConfirmations }) {
  return {
    /** Which of these `labeled` events were withdrawn by one of these people; none after some looks is an answer too. */
    async readWithdrawals(input: {
      issue: IssueRef;
      label: string;
      events: readonly number[];
      people: readonly number[];
    }): Promise<Withdrawal[]> {
      const issue = await classified(() => github.readLabels(input.issue, input.label));
      const found = withdrawalsIn(issue, input.events, input.people);
      if (found.length === 0 && activityInfo().attempt < LOOKS) {
        throw ApplicationFailure.create({
          type: 'LabelEventNotListed',
          message: 'GitHub does not list the unlabeled event yet',
          nextRetryDelay: '1 second',
        });
      }
      return found;
    },

    async readPullRequest(input: { issue: IssueRef; pullRequest: number }): Promise<GitHubPullRequestState> {
      return classified(() => github.readPullRequest(input.issue, input.pullRequest));
    },

    async readRepository({ issue }: { issue: IssueRef }): Promise<GitHubRepositoryState> {
      return classified(() => github.readRepository(issue));
    },

    async readReview(input: { issue: IssueRef; pullRequest: number; review: number }): Promise<GitHubReviewState> {
      return classified(() => github.readReview(input.issue, input.pullRequest, input.review));
    },
  };
}
