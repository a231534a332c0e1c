/* Keeps a page fresh. Everything on it works without this, too. */
const LOG_LINES = 5000;
const RELOAD_PAUSE_MS = 1000;
const COME_BACK_MS = 3000;

const { stream, streamAfter } = document.body.dataset;
const log = document.getElementById('log');
const follow = document.getElementById('follow');
const announcer = document.getElementById('announcer');
let lastLine = streamAfter;
let reloading = false;

function ago(then) {
  const seconds = Math.max(0, Math.round((Date.now() - then) / 1000));
  if (seconds < 45) return 'just now';
  if (seconds < 5400) return `${Math.max(1, Math.round(seconds / 60))} min ago`;
  if (seconds < 129600) return `${Math.round(seconds / 3600)} h ago`;
  return `${Math.round(seconds / 86400)} d ago`;
}

function refreshTimes() {
  for (const time of document.querySelectorAll('time[data-ago]')) time.textContent = ago(Date.parse(time.dateTime));
}

/* Replaces the fragments of the page by those of the given HTML that have the same id, and keeps the focus where it was. */
function swap(html) {
  const fresh = new DOMParser().parseFromString(html, 'text/html');
  for (const old of document.querySelectorAll('[data-live]')) {
    const replacement = fresh.getElementById(old.id);
    if (!replacement || replacement.innerHTML === old.innerHTML) continue;
    const focused = old.contains(document.activeElement) ? document.activeElement : null;
    const place = focused && [...old.querySelectorAll('a, button, [tabindex]')].indexOf(focused);
    const said = old.dataset.summary;
    old.replaceWith(replacement);
    if (replacement.dataset.summary && replacement.dataset.summary !== said) {
      announcer.textContent = replacement.dataset.summary;
    }
    if (!focused) continue;
    const candidates = [...replacement.querySelectorAll('a, button, [tabindex]')];
    const href = focused.getAttribute('href');
    const same = href && candidates.find((one) => one.getAttribute('href') === href);
    (same || candidates[place])?.focus({ preventScroll: true });
  }
  refreshTimes();
}

/* Lists are read again as a whole; changes that come close together cost one request. */
async function reload() {
  if (reloading) return;
  reloading = true;
  await new Promise((resolve) => setTimeout(resolve, RELOAD_PAUSE_MS));
  reloading = false;
  const answer = await fetch(location.href, { headers: { accept: 'text/html' } }).catch(() => undefined);
  if (answer?.ok && !answer.redirected) swap(await answer.text());
}

function addLines(html, id) {
  lastLine = id;
  document.getElementById('log-empty')?.remove();
  log.hidden = false;
  log.insertAdjacentHTML('beforeend', html);
  while (log.children.length > LOG_LINES) log.firstElementChild.remove();
  if (follow.checked) log.scrollTop = log.scrollHeight;
}

function connect() {
  const url = new URL(stream, location.origin);
  if (lastLine !== undefined) url.searchParams.set('after', lastLine);
  const source = new EventSource(url);
  source.addEventListener('changed', () => void reload());
  source.addEventListener('state', ({ data }) => swap(data));
  source.addEventListener('log', ({ data, lastEventId }) => addLines(data, lastEventId));
  source.addEventListener('end', () => source.close());
  source.addEventListener('error', () => {
    /* The browser comes back by itself, but not after an answer that was no stream. */
    if (source.readyState === EventSource.CLOSED) setTimeout(connect, COME_BACK_MS);
  });
  addEventListener('pagehide', () => source.close(), { once: true });
}

if (follow && log) {
  follow.closest('[hidden]').hidden = false;
  log.scrollTop = log.scrollHeight;
  follow.addEventListener('change', () => {
    if (follow.checked) log.scrollTop = log.scrollHeight;
  });
  log.addEventListener('scroll', () => {
    follow.checked = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  });
}
if (stream) connect();
setInterval(refreshTimes, 30_000);
addEventListener('pageshow', (event) => {
  if (event.persisted) location.reload();
});
