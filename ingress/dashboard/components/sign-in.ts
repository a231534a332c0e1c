/** A guest's notice in place of a form. */
import { html } from 'hono/html';
import type { Html } from './layout.ts';

/** `next` is the page to return to after signing in; `command` does the same at a terminal. */
export function signInFirst(next: string, command: string): Html {
  return html`<div class="card">
    <p>
      Anybody on this machine may read this dashboard; to change something,
      <a href="/login?next=${encodeURIComponent(next)}">sign in</a> first.
    </p>
    <p>Or run <code>npx codex-k8s ${command}</code> at a terminal.</p>
  </div>`;
}
