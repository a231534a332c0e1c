/** The frame of every page. */
import { html } from 'hono/html';
import { noWorkerText } from '../../api/messages/runs.ts';
import { assetUrl } from './assets.ts';

export type Html = ReturnType<typeof html>;

/** The reader of a page: signed in, or a guest, if reads are open. */
export type Viewer = 'staff' | 'guest';

export interface PageFrame {
  readonly title: string;
  readonly viewer: Viewer;
  /** The page's path in the menu, if it is listed there. */
  readonly current?: '/' | '/issues' | '/runs' | '/deliveries';
  /** The path of the stream that updates the page; `after` is the last log line on it. */
  readonly stream?: { readonly path: string; readonly after?: number } | undefined;
  /** Since when no worker takes tasks, if none does. */
  readonly noWorkerSince?: Date | undefined;
}

const MENU = [
  ['/', 'Overview'],
  ['/issues', 'Issues'],
  ['/runs', 'Runs'],
  ['/deliveries', 'Deliveries'],
] as const;

/** A whole page with its body. */
export function page({ title, viewer, current, stream, noWorkerSince }: PageFrame, body: Html): Html {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title} · codex-k8s</title>
        <link rel="icon" href="${assetUrl('icon.svg')}" type="image/svg+xml" />
        <link rel="stylesheet" href="${assetUrl('dashboard.css')}" />
        <script type="module" src="${assetUrl('dashboard.js')}"></script>
      </head>
      <body ${stream && streamData(stream)}>
        <a class="skip" href="#main">Skip to the content</a>
        <header class="top">
          <div>
            <a class="brand" href="/">codex-k8s</a>
            <nav aria-label="Main">
              <ul>
                ${MENU.map(
                  ([path, name]) =>
                    html`<li><a href="${path}" ${path === current && html`aria-current="page"`}>${name}</a></li>`,
                )}
              </ul>
            </nav>
            ${session(viewer)}
          </div>
        </header>
        <main id="main" tabindex="-1">
          ${noWorkerSince && html`<div class="notice bad" role="alert"><p>${noWorkerText(noWorkerSince)}</p></div>`}
          ${body}
        </main>
        <p id="announcer" class="hidden" aria-live="polite"></p>
        <footer>Times are relative to now; point at one to see it exactly (UTC).</footer>
      </body>
    </html>`;
}

function streamData({ path, after }: NonNullable<PageFrame['stream']>): Html {
  return html`data-stream="${path}" ${after !== undefined && html`data-stream-after="${after}"`}`;
}

function session(viewer: Viewer): Html {
  if (viewer === 'guest') return html`<a class="session" href="/login">Sign in</a>`;
  return html`<form method="post" action="/logout"><button class="plain">Sign out</button></form>`;
}
