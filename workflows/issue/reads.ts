/** Reads what a decision needs. */
import { isCancellation, log, rootCause } from '@temporalio/workflow';
import type { Read, Reading } from '../../src/domain/issue/decide.ts';
import {
  readIssue,
  readPullRequest,
  readRepository,
  readReview,
  readSettings,
  readTrigger,
  readWithdrawals,
} from '../activities.ts';

export async function readAll(reads: readonly Read[]): Promise<Reading[]> {
  return Promise.all(reads.map(answered));
}

/** An error is an answer too. */
async function answered(read: Read): Promise<Reading> {
  try {
    return { read, answer: { value: await valueOf(read) } };
  } catch (error) {
    if (isCancellation(error)) throw error;
    const failed = rootCause(error) ?? String(error);
    log.warn('read failed', { read: read.kind, error: failed });
    return { read, answer: { failed } };
  }
}

function valueOf(read: Read): Promise<unknown> {
  switch (read.kind) {
    case 'trigger': {
      const { issue, label, facts, branches, people } = read;
      return readTrigger({ issue, label, facts, branches, people });
    }
    case 'issue': {
      const { issue, label } = read;
      return readIssue({ issue, label, facts: [] });
    }
    case 'review': {
      const { issue, pullRequest, review } = read;
      return readReview({ issue, pullRequest, review });
    }
    case 'withdrawals': {
      const { issue, label, events, people } = read;
      return readWithdrawals({ issue, label, events, people });
    }
    case 'pull_request': {
      const { issue, pullRequest } = read;
      return readPullRequest({ issue, pullRequest });
    }
    case 'repository':
      return readRepository({ issue: read.issue });
    case 'settings':
      return readSettings({ repositoryId: read.repositoryId });
  }
}
