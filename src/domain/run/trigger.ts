/** The trigger of a run, identified by GitHub's own id of it. */

/** `label`: a `labeled` event; `review`: a review that requested changes; `comment`: a comment of a discussion. GitHub's ids. */
export type Trigger =
  | { readonly kind: 'label'; readonly event: number }
  | { readonly kind: 'review'; readonly review: number }
  | { readonly kind: 'comment'; readonly comment: number };

/** `label:9`, `review:9` or `comment:9`: a trigger in rows, events and views. */
export function renderTrigger(trigger: Trigger): string {
  return `${trigger.kind}:${idOf(trigger)}`;
}

/** The trigger in a text of that form; undefined for any other text. */
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
