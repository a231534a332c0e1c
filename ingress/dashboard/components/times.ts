/** Times on a page. */
import { html } from 'hono/html';
import { ago, exact } from '../../api/messages/times.ts';
import type { Html } from './layout.ts';

/** A time relative to now, with the exact one as its title; the page's script updates it. */
export function when(at: Date, now: Date = new Date()): Html {
  return html`<time datetime="${at.toISOString()}" title="${exact(at)}" data-ago>${ago(at, now)}</time>`;
}
