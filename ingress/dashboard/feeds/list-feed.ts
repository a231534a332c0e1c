/** The feed of a list's page: a `changed` event when the list has changed. */
import type { Database } from '../../../src/store/connection/database.ts';
import { changeMarker } from '../../../src/read-model/queries/marker.ts';
import type { Feed } from '../../live/live.ts';

/** A feed of all issues and runs, or of one issue; `seen` is the marker of what the page shows. */
export function listFeed(db: Database, issueKey: string | undefined, seen: string | undefined): Feed {
  let shown = seen;
  let signaled = false;
  return {
    concerns({ kind, key }) {
      const mine = (kind === 'issue' && (issueKey ?? key) === key) || (kind === 'github' && issueKey === undefined);
      signaled ||= mine;
      return mine;
    },
    async write(stream) {
      const wasSignaled = signaled;
      signaled = false;
      const marker = await changeMarker(db, issueKey);
      if (wasSignaled || marker !== shown) stream.send({ event: 'changed', data: '', id: marker });
      shown = marker;
      return 'open';
    },
  };
}
