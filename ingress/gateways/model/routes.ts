/** The parts of the providers' APIs that an agent needs, and no others: files, batches and stored prompts belong to the account, not to the run. */
import type { ModelFormat } from '../../../src/domain/money/bounds.ts';
import { refuseChatRequest } from '../../../src/domain/model/chat-requests.ts';
import { refuseMessagesRequest } from '../../../src/domain/model/messages-requests.ts';
import { refuseResponsesRequest } from '../../../src/domain/model/responses-requests.ts';

export type Provider = 'openai' | 'anthropic';

export interface ModelRoute {
  readonly provider: Provider;
  /** How its calls are counted; undefined for what costs nothing. */
  readonly format?: ModelFormat;
  /** Why a body is refused; undefined if it may pass. */
  readonly refuse: (body: unknown, model: string) => string | undefined;
  /** The query as it is sent on. */
  readonly search: (given: URLSearchParams) => string;
}

const none = (): string => '';

const ROUTES: Readonly<Record<string, ModelRoute>> = {
  'GET /models': {
    provider: 'openai',
    refuse: () => undefined,
    search: (given) => (given.size === 0 ? '' : `?${given.toString()}`),
  },
  'POST /responses': { provider: 'openai', format: 'responses', refuse: refuseResponsesRequest, search: none },
  'POST /responses/compact': { provider: 'openai', format: 'compact', refuse: refuseResponsesRequest, search: none },
  'POST /chat/completions': { provider: 'openai', format: 'chat', refuse: refuseChatRequest, search: none },
  'POST /messages': { provider: 'anthropic', format: 'messages', refuse: refuseMessagesRequest, search: beta },
  'POST /messages/count_tokens': { provider: 'anthropic', refuse: refuseMessagesRequest, search: beta },
};

/** The route of a request; undefined if it is not open to agents. `path`: after `/v1`. */
export function routeOf(method: string, path: string): ModelRoute | undefined {
  const name = `${method} ${path}`;
  return Object.hasOwn(ROUTES, name) ? ROUTES[name] : undefined;
}

/** Anthropic's clients say in the query that they use parts of the API that are in beta. */
function beta(given: URLSearchParams): string {
  return given.get('beta') === 'true' ? '?beta=true' : '';
}
