/** Signing in and out. */
import type { Context, Hono } from 'hono';
import { deleteCookie, setCookie } from 'hono/cookie';
import { RequestRefused } from '../http/errors.ts';
import { isSameOrigin, SESSION_COOKIE, SESSION_SECONDS, type StaffAccess } from '../api/access.ts';
import { page } from './components/layout.ts';
import { loginPage, ownPath } from './pages/login-page.ts';

/** Adds `/login` and `/logout`. `secure` cookies are sent over TLS only. */
export function addSessionRoutes(app: Hono, access: StaffAccess, { secure }: { secure: boolean }): void {
  const frame = { title: 'Sign in', viewer: 'guest' } as const;

  app.get('/login', (c) => c.html(page(frame, loginPage(ownPath(c.req.query('next'))))));

  app.post('/login', async (c) => {
    refuseOtherSites(c);
    const { token, next } = await c.req.parseBody();
    const path = ownPath(typeof next === 'string' ? next : undefined);
    if (!access.isToken(c, typeof token === 'string' ? token.trim() : ''))
      return c.html(page(frame, loginPage(path, 'That is not the staff token.')), 401);
    setCookie(c, SESSION_COOKIE, access.newSession(), {
      httpOnly: true,
      sameSite: 'Strict',
      path: '/',
      maxAge: SESSION_SECONDS,
      secure,
    });
    return c.redirect(path, 303);
  });

  app.post('/logout', (c) => {
    refuseOtherSites(c);
    deleteCookie(c, SESSION_COOKIE, { path: '/', secure });
    return c.redirect('/', 303);
  });
}

function refuseOtherSites(c: Context): void {
  if (!isSameOrigin(c)) throw new RequestRefused('forbidden', 'the request comes from another site', 'Origin');
}
