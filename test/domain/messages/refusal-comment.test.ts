import { describe, expect, test } from 'vitest';
import { commentTexts } from '../../../src/domain/messages/comment-texts.ts';
import { refusalMarker, renderRefusal, type Refusal } from '../../../src/domain/messages/refusal-comment.ts';

const CONFLICT: Refusal = {
  reason: 'issue_trigger_label_conflict',
  labels: ['run:dev', 'run:qa'],
  actor: 'olivia',
  subject: 'd1',
};
/** Everything that the platform says to people it knows. */
const REASONS = [
  'issue_trigger_label_conflict',
  'queue_full',
  'too_many_triggers',
  'sender_not_project_member',
  'sender_role_read_not_permitted',
  'sender_role_not_permitted',
  'pull_request_review_stage_ambiguous',
  'pull_request_review_stage_not_resolved',
  'state_blocked',
  'needs_input',
  'profile_label_conflict',
  'stage_not_in_profile',
  'stage_entry_not_met',
  'issue_trigger_candidate_not_found',
  'discussion_mode_trigger_label_conflict',
  'trigger_by_agent',
  'pull_request_not_current',
  'review_outdated',
];

describe('the comment that says why nothing was started', () => {
  test('begins with its marker', () => {
    expect(renderRefusal(CONFLICT, 'en').startsWith(`${refusalMarker(CONFLICT)}\n`)).toBe(true);
  });

  test('has a marker of its own for each reason and each thing it is about', () => {
    const markers = [CONFLICT, { ...CONFLICT, subject: 'd2' }, { ...CONFLICT, reason: 'queue_full' }].map(
      refusalMarker,
    );
    expect(new Set(markers).size).toBe(3);
  });

  test.each(REASONS.flatMap((reason) => (['en', 'ru'] as const).map((locale) => [reason, locale] as const)))(
    'has a sentence for %s in %s',
    (reason, locale) => {
      const sentence = (code: string): string =>
        renderRefusal({ ...CONFLICT, labels: [], reason: code }, locale).split('\n\n')[2] ?? '';
      expect(sentence(reason)).toMatch(/^@olivia: \p{Lu}.+\.$/u);
      expect(sentence(reason)).not.toBe(sentence('something else'));
    },
  );

  test.each(['en', 'ru'] as const)('has no other sentences in %s', (locale) => {
    expect(Object.keys(commentTexts(locale).refused.reasons).toSorted()).toEqual(REASONS.toSorted());
  });

  test.each(['en', 'ru'] as const)('has a sentence in %s for a reason that nobody thought of', (locale) => {
    expect(renderRefusal({ ...CONFLICT, reason: 'sender_role_guest_not_permitted' }, locale)).toMatch(
      /@olivia: \p{Lu}.+\.\n/u,
    );
  });

  test('lists the labels that stand against each other', () => {
    expect(renderRefusal(CONFLICT, 'en')).toContain('\n- `run:dev`\n- `run:qa`\n');
  });

  test.each([
    ['state_blocked', ['state:blocked'], 'Take it off, then ask again:\n- `state:blocked`'],
    ['stage_entry_not_met', ['run:intake', 'run:dev'], 'Possible now:\n- `run:intake`\n- `run:dev`'],
  ])('says what is to be done with the labels of %s', (reason, labels, text) => {
    expect(renderRefusal({ ...CONFLICT, reason, labels }, 'en')).toContain(text);
  });

  test.each([[], ['run:dev']])('lists no labels when they do not stand against each other: %j', (...labels) => {
    expect(renderRefusal({ ...CONFLICT, reason: 'queue_full', labels }, 'en')).not.toContain('\n- ');
  });

  test.each(['en', 'ru'] as const)('names the code of the reason in %s', (locale) => {
    expect(renderRefusal(CONFLICT, locale)).toMatch(/: `issue_trigger_label_conflict`$/);
  });
});
