/**
 * What emulate answers, in the form that GitHub documents. test/emulators/github/documented.test.ts compares every answer and
 * delivery with GitHub's own description, and lists the differences that are left.
 */
type Json = Readonly<Record<string, unknown>>;

/** GitHub shows these of a single pull request, not in lists. */
const ONLY_OF_ONE_PULL = [
  'additions',
  'changed_files',
  'comments',
  'commits',
  'deletions',
  'maintainer_can_modify',
  'mergeable',
  'mergeable_state',
  'merged',
  'merged_by',
  'rebaseable',
  'review_comments',
];

/** What only the account itself is shown of an account. */
const PRIVATE = {
  collaborators: 0,
  disk_usage: 0,
  owned_private_repos: 0,
  private_gists: 0,
  total_private_repos: 0,
  two_factor_authentication: true,
};

/** A review comment on one line. */
const WHOLE_LINE = { start_line: null, original_start_line: null, start_side: null };

/** An answer with a JSON body, corrected; others as they are. */
export async function correctedAnswer(answer: Response, path: string, baseUrl: string): Promise<Response> {
  if (!answer.headers.get('content-type')?.includes('json')) return answer;
  const headers = new Headers(answer.headers);
  headers.delete('content-length');
  const body = asDocumented(await answer.json(), baseUrl);
  const whole = isRecord(body)
    ? { ...body, ...(path === '/user' && answer.ok && PRIVATE), ...fullRepository(body) }
    : body;
  return new Response(JSON.stringify(whole), { status: answer.status, headers });
}

/** The payload of an event: its objects have less than the API shows, and a little more. */
export function asDelivered(event: string, payload: Json): Record<string, unknown> {
  const { pull_request: pull, review, ...delivered } = mapped(payload, asPartOfPayload);
  const ofReview = event.startsWith('pull_request_review') && isRecord(pull);
  return {
    ...delivered,
    ...(pull !== undefined && { pull_request: ofReview ? without(pull, ONLY_OF_ONE_PULL) : pull }),
    ...(isRecord(review) && { review: { ...review, state: String(review['state']).toLowerCase() } }),
  };
}

function asPartOfPayload(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asPartOfPayload);
  if (!isRecord(value)) return value;
  const inner = mapped(value, asPartOfPayload);
  if ('repository_url' in value) return without(inner, ['closed_by']);
  if ('diff_hunk' in value) return { ...WHOLE_LINE, original_line: inner['line'] ?? null, ...inner };
  if (!isRepository(value)) return inner;
  return { ...without(inner, ['network_count', 'subscribers_count']), custom_properties: {} };
}

/** Any part of what emulate shows; `listed` for an element of a list. */
export function asDocumented(value: unknown, baseUrl: string, listed = false): unknown {
  if (Array.isArray(value)) return value.map((entry) => asDocumented(entry, baseUrl, true));
  if (!isRecord(value)) return value;
  const inner = mapped(value, (entry) => asDocumented(entry, baseUrl));
  if ('followers_url' in inner && typeof inner['login'] === 'string')
    return { ...inner, ...linksOf(inner['login'], baseUrl) };
  if (isRepository(inner))
    return { ...inner, pushed_at: inner['pushed_at'] ?? inner['created_at'], web_commit_signoff_required: false };
  if ('mergeable_state' in inner)
    return { ...(listed ? without(inner, ONLY_OF_ONE_PULL) : inner), active_lock_reason: null };
  if ('diff_hunk' in inner) return reviewComment(inner);
  if ('submitted_at' in inner && 'pull_request_url' in inner)
    return without(inner, ['created_at', 'updated_at', ...(inner['submitted_at'] === null ? ['submitted_at'] : [])]);
  return inner;
}

/** The addresses of an account. That of a bot has brackets in its login, which GitHub escapes. */
export function linksOf(login: string, baseUrl: string): Json {
  const escaped = encodeURIComponent(login);
  const api = `${baseUrl}/users/${escaped}`;
  const page = `${baseUrl}/${escaped}`;
  return {
    avatar_url: `${baseUrl}/avatars/u/${escaped}`,
    url: api,
    html_url: page,
    followers_url: `${api}/followers`,
    following_url: `${api}/following{/other_user}`,
    gists_url: `${api}/gists{/gist_id}`,
    starred_url: `${api}/starred{/owner}{/repo}`,
    subscriptions_url: `${api}/subscriptions`,
    organizations_url: `${api}/orgs`,
    repos_url: `${api}/repos`,
    events_url: `${api}/events{/privacy}`,
    received_events_url: `${api}/received_events`,
  };
}

/** A comment has a place in the diff, of which emulate keeps none, and names what it replies to only if it does. */
function reviewComment(comment: Json): Json {
  const { in_reply_to_id, position, original_position, ...rest } = comment;
  const { url, html_url, pull_request_url } = rest;
  return {
    ...rest,
    position: position ?? 1,
    original_position: original_position ?? position ?? 1,
    ...(typeof in_reply_to_id === 'number' && { in_reply_to_id }),
    _links: { self: { href: url }, html: { href: html_url }, pull_request: { href: pull_request_url } },
  };
}

function fullRepository(body: Json): Json {
  return isRepository(body) ? { network_count: 0, subscribers_count: 0, custom_properties: {} } : {};
}

function isRepository(value: Json): boolean {
  return 'full_name' in value && 'default_branch' in value;
}

function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function mapped(value: Json, map: (entry: unknown) => unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, map(entry)]));
}

function without(value: Json, keys: readonly string[]): Json {
  return Object.fromEntries(Object.entries(value).filter(([key]) => !keys.includes(key)));
}
