/** Notices to people: comments on the run's issue, few of them. */
import type { IssueRef } from '../../domain/issue/facts.ts';
import { noticeMarker, renderNotice } from '../../domain/messages/notice.ts';
import { notDone, type ToolPerformers } from '../performers.ts';
import { isNotDone, placeOf } from './places.ts';

export interface NotifyPorts {
  readonly github: {
    /** Creates or updates the comment that carries the marker. */
    writeComment(
      issue: IssueRef,
      comment: { marker: string; body: string; knownId: number | null },
    ): Promise<{ id: number; url: string }>;
  };
  /** How many notices of the run people got since then. */
  readonly countNotices: (runId: string, since: Date) => Promise<number>;
}

/** Notices of a run: in ten minutes, and in all. */
const LATELY = 3;
const LATELY_MS = 600_000;
const ALTOGETHER = 20;

export function createNotifyTools({ github, countNotices }: NotifyPorts) {
  return {
    async 'user.notify'(args, { run, key }) {
      const place = placeOf(run);
      if (isNotDone(place)) return place;
      const [lately, altogether] = await Promise.all([
        countNotices(run.runId, new Date(Date.now() - LATELY_MS)),
        countNotices(run.runId, new Date(0)),
      ]);
      if (altogether >= ALTOGETHER)
        return notDone('rate_limited', `this run has notified people ${ALTOGETHER} times; say the rest in your answer`);
      if (lately >= LATELY)
        return notDone(
          'rate_limited',
          `this run has notified people ${LATELY} times in ten minutes; go on with your work`,
        );
      const {
        notification_kind: kind,
        summary,
        details_markdown: details,
        action_label: label,
        action_url: url,
      } = args;
      const notice = {
        kind,
        summary,
        details,
        action: url === undefined ? undefined : { label: label ?? 'Link', url },
      };
      const body = renderNotice(key, notice, run.locale);
      const comment = await github.writeComment(place, { marker: noticeMarker(key), body, knownId: null });
      return { status: 'ok', message: 'applied', comment_url: comment.url };
    },
  } satisfies ToolPerformers;
}
