/** Deliveries on their way into the store, and the answers that GitHub gets. */
import type { Fact, IssueRef } from '../../domain/issue/facts.ts';
import type { Membership } from '../../domain/triggers/senders.ts';
import type { RepositoryIdentity } from '../projects/present-repository.ts';
import type { LabelId } from '../projects/labels.ts';
import type { GoneRepositories } from '../../domain/triggers/webhooks.ts';

/** A delivery that is to be evaluated and stored. */
export interface Arrival {
  readonly id: string;
  /** The raw bytes, which the signature covers. */
  readonly body: Buffer;
  /** GitHub's ids; 0 where the delivery names none. */
  readonly repositoryId: number;
  readonly senderId: number;
  /** The key of the delivery's issue, whether its repository is bound or not. */
  readonly issueKey: string | null;
  /** Repositories that the delivery reports as gone: the fact goes to every open issue in those that are bound. */
  readonly gone?: Pick<GoneRepositories, 'repositories' | 'owner'>;
  /** Decides with what is known when the delivery is stored. Must be pure: it may be called again. */
  readonly evaluate: (context: SenderContext) => EvaluatedDelivery;
}

/** A bound repository under a name, or with a default branch, that is not known. */
export interface RenamedRepository {
  readonly id: number;
  readonly owner: string;
  readonly name: string;
}

/** What a delivery is evaluated with: the repository's binding and the sender's membership. */
export interface SenderContext {
  readonly bound: boolean;
  /** The stored name and default branch of the repository, if it is bound. */
  readonly repository?: RepositoryIdentity;
  readonly membership: Membership;
  /** The number of open issues in bound repositories that the delivery reports as gone; set only for such deliveries. */
  readonly openIssues?: number;
  /** Whether a run of the issue waits for an answer. */
  readonly openRequest?: boolean;
}

/** An evaluated delivery, ready to be stored. */
export interface EvaluatedDelivery {
  readonly id: string;
  readonly event: string;
  readonly action: string | null;
  readonly body: Buffer;
  readonly status: 'accepted' | 'ignored';
  readonly reason: string;
  readonly repositoryId: number | null;
  readonly issue: (IssueRef & { readonly title: string; readonly url: string }) | null;
  readonly sender: string | null;
  readonly runId: string | null;
  /** ISO 8601. */
  readonly receivedAt: string;
  readonly fact: Fact | null;
  /** What the delivery calls its repository, if that is not what is stored: GitHub has to confirm it. */
  readonly renamed?: RenamedRepository;
  /** A label of the repository that has this name from now on. */
  readonly relabeled?: LabelId;
  /** For the audit event. */
  readonly details: Readonly<Record<string, unknown>>;
}

/** The answer to GitHub; for a duplicate, the decision on the first one. */
export interface Receipt {
  readonly duplicate: boolean;
  readonly renamed?: RenamedRepository;
  readonly status: 'accepted' | 'ignored';
  readonly reason: string;
  readonly runId: string | null;
}
