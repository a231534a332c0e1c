/** What a guest sees in place of a form. */
import { html } from 'hono/html';
import type { Html } from './layout.ts';

/** `next` is the page to come back to; `command` does the same at a terminal. */
export function signInFirst(next: string, command: string): Html {
  return html`<div class="card">
    <p>
      Anybody on this machine may read this dashboard; who wants to change something
      <a href="/login?next=${encodeURIComponent(next)}">signs in</a> first.
    </p>
    <p>Or type <code>npx codex-k8s ${command}</code> at a terminal.</p>
  </div>`;
}
