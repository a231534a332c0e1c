/** Error pages. */
import { html } from 'hono/html';
import type { ErrorHandler } from 'hono';
import { describeError, type ErrorEnvelope, type ErrorLog } from '../../http/errors.ts';
import { page, type Html } from '../components/layout.ts';

const TITLES: Partial<Record<ErrorEnvelope['code'], string>> = {
  not_found: 'Not found',
  forbidden: 'Not allowed',
  conflict: 'Too late',
  resource_exhausted: 'Too many attempts',
  unavailable: 'Unavailable at the moment',
  internal: 'Something went wrong',
};

/** Answers every error of the dashboard with a page, and a 401 with a redirect to `/login`. */
export function answerErrorsWithPages(log: ErrorLog): ErrorHandler {
  return function answerErrorWithPage(error, c) {
    const { status, envelope, correlationId, retryAfter } = describeError(error, log);
    if (status === 401 && c.req.method === 'GET') {
      const { pathname, search } = new URL(c.req.url);
      return c.redirect(`/login?next=${encodeURIComponent(`${pathname}${search}`)}`, 303);
    }
    if (correlationId !== undefined) c.header('X-Correlation-Id', correlationId);
    if (retryAfter !== undefined) c.header('Retry-After', retryAfter);
    const title = TITLES[envelope.code] ?? 'The request failed';
    const run = /^\/runs\/([\da-f-]{36})\//.exec(new URL(c.req.url).pathname)?.[1];
    return c.html(page({ title, viewer: 'guest' }, errorPage(title, envelope, run)), status);
  };
}

/** `run`: the run that was to be changed, where it was one. */
function errorPage(title: string, { message, code }: ErrorEnvelope, run: string | undefined): Html {
  return html`<div class="title"><h1>${title}</h1></div>
    <p class="lead">${message.charAt(0).toUpperCase()}${message.slice(1)}.</p>
    <p class="muted">Code: <code>${code}</code></p>
    <p>
      ${run !== undefined && html`<a class="button" href="/runs/${run}">To the run</a>`}
      <a class="button" href="/">To the overview</a>
    </p>`;
}
