/** Translates an installation's label names into canonical ones. */
import type { LabelNames } from '../../src/domain/stages/label-names.ts';
import type { WebhookEvent } from '../../src/domain/triggers/webhooks.ts';

/** The event with canonical label names. */
export function withCanonicalLabels(event: WebhookEvent, { canonical, overridden }: LabelNames): WebhookEvent {
  if (!overridden) return event;
  const each = <Labelled extends { readonly labels: readonly string[] }>(labelled: Labelled): Labelled => ({
    ...labelled,
    labels: labelled.labels.map(canonical),
  });
  switch (event.name) {
    case 'issues':
      return { ...event, issue: each(event.issue), label: event.label === null ? null : canonical(event.label) };
    case 'issue_comment':
      return { ...event, issue: each(event.issue) };
    case 'pull_request':
      return {
        ...event,
        pullRequest: each(event.pullRequest),
        label: event.label === null ? null : canonical(event.label),
      };
    case 'pull_request_review':
      return { ...event, pullRequest: each(event.pullRequest) };
    case 'label':
      return {
        ...event,
        label: canonical(event.label),
        before: event.before === null ? null : canonical(event.before),
      };
    case 'push':
    case 'repository':
    case 'installation':
    case 'installation_repositories':
    case 'other':
      return event;
  }
}
