/** What asked for a run: GitHub's own record of it, which is the run's identity. */

/** `label`: a `labeled` event; `review`: a review that requested changes; `comment`: a comment of a discussion. GitHub's ids. */
export type Trigger =
  | { readonly kind: 'label'; readonly event: number }
  | { readonly kind: 'review'; readonly review: number }
  | { readonly kind: 'comment'; readonly comment: number };

/** `label:9`, `review:9` or `comment:9`: how rows, events and views show a trigger. */
export function renderTrigger(trigger: Trigger): string {
  return `${trigger.kind}:${idOf(trigger)}`;
}

/** The trigger that a text shows, or undefined for a text of another form. */
export function parseTrigger(text: string): Trigger | undefined {
  const [, kind, digits] = /^(label|review|comment):(\d+)$/.exec(text) ?? [];
  const id = Number(digits);
  if (kind === 'label') return { kind, event: id };
  if (kind === 'review') return { kind, review: id };
  return kind === 'comment' ? { kind, comment: id } : undefined;
}

function idOf(trigger: Trigger): number {
  switch (trigger.kind) {
    case 'label':
      return trigger.event;
    case 'review':
      return trigger.review;
    case 'comment':
      return trigger.comment;
  }
}
