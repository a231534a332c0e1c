/** The frame of every page. */
import { html } from 'hono/html';

export type Html = ReturnType<typeof html>;

const STYLE = `
  body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1f2328; }
  h1 { font-size: 1.5rem; margin-bottom: .3rem } h1 small { color: #59636e; font-weight: normal }
  a { color: #0969da; text-decoration: none } .muted { color: #59636e; font-size: .9rem }
  .label, .state { border-radius: 1rem; padding: .1rem .6rem; font-size: .8rem; border: 1px solid #0002 }
  .open { background: #1a7f37; color: #fff } .closed { background: #8250df; color: #fff }
  article { border: 1px solid #d1d9e0; border-radius: 6px; margin: 1rem 0 } article header { background: #f6f8fa; padding: .4rem .8rem }
  pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: 0; padding: .8rem; font: 13px/1.45 ui-monospace, monospace }
  .add { background: #dafbe1 } .del { background: #ffebe9 } .hunk { color: #59636e } .diff span { display: block }
  li { margin: .3rem 0 }
`;

/** A page with its title and body. */
export function page(title: string, body: Html | Html[]): Html {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>${title}</title>
        <style>
          ${STYLE}
        </style>
      </head>
      <body>
        ${body}
      </body>
    </html>`;
}
