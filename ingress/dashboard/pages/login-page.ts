/** `/login`: a form for the staff token. */
import { html } from 'hono/html';
import type { Html } from '../components/layout.ts';

/** The body of the page. `next` is the path to go to afterwards. */
export function loginPage(next: string, problem?: string): Html {
  return html`<div class="title"><h1>Sign in</h1></div>
    <p class="lead">With the staff token of this installation, the one in CODEXK8S_STAFF_TOKEN_FILE.</p>
    <section aria-label="Sign in">
      ${problem !== undefined && html`<div class="notice bad" role="alert"><p>${problem}</p></div>`}
      <form class="card form" method="post" action="/login">
        <input type="hidden" name="next" value="${next}" />
        <label>
          Staff token
          <input type="password" name="token" required autocomplete="current-password" spellcheck="false" />
        </label>
        <div class="actions"><button class="primary">Sign in</button></div>
      </form>
    </section>`;
}

/** `next` if it is a path of this origin, else `/`. */
export function ownPath(next: string | undefined): string {
  if (next === undefined || !/^\/(?![/\\])[\x20-\x7e]*$/.test(next)) return '/';
  const url = new URL(next, 'http://own.invalid');
  return url.origin === 'http://own.invalid' ? `${url.pathname}${url.search}` : '/';
}
