/**
 * What an agent may ask of OpenAI's chat completions (docs/security.md), for programs that do not speak Responses: texts, images
 * within the request, and functions that run in its workspace.
 */
import {
  hostedTool,
  isAbsent,
  isObject,
  listOf,
  refuseFields,
  refuseImage,
  refuseOtherModel,
  shown,
  type Fields,
} from './values.ts';

/** Fields of a request to `/chat/completions`. */
const FIELDS: ReadonlySet<string> = new Set([
  'frequency_penalty',
  'logit_bias',
  'logprobs',
  'max_completion_tokens',
  'max_tokens',
  'messages',
  'model',
  'modalities',
  'n',
  'parallel_tool_calls',
  'presence_penalty',
  'prompt_cache_key',
  'reasoning_effort',
  'response_format',
  'safety_identifier',
  'seed',
  'stop',
  'stream',
  'stream_options',
  'temperature',
  'tool_choice',
  'tools',
  'top_logprobs',
  'top_p',
  'user',
  'verbosity',
]);

const REFUSED_FIELDS: Readonly<Record<string, string>> = {
  audio: 'audio is not open to agents',
  prediction: 'predicted output is not open to agents',
  service_tier: 'the platform chooses the service tier',
  store: 'the account stores nothing for agents',
  web_search_options: "a search runs at the model's provider; only tools in the workspace are open to agents",
};

const LOCAL_TOOLS: ReadonlySet<string> = new Set(['function', 'custom']);
const PARTS: ReadonlySet<string> = new Set(['text', 'refusal', 'image_url']);

/** Why a body is refused, in words for the agent; undefined if it may pass. `model`: that of the run. */
export function refuseChatRequest(body: unknown, model: string): string | undefined {
  if (!isObject(body)) return 'the body is not a JSON object';
  const { n, modalities, tools, tool_choice: choice, messages } = body;
  const refused = refuseFields(body, FIELDS, REFUSED_FIELDS) ?? refuseOtherModel(body, model);
  if (refused !== undefined) return refused;
  if (!isAbsent(n) && n !== 1) return 'n: an agent gets one answer to a request';
  if (!isAbsent(modalities) && listOf(modalities).some((each) => each !== 'text'))
    return 'modalities: only texts are open to agents';
  return refuseTools(tools) ?? refuseChoice(choice) ?? refuseMessages(messages);
}

function refuseTools(tools: unknown): string | undefined {
  if (isAbsent(tools)) return undefined;
  if (!Array.isArray(tools)) return 'tools: not a list';
  return firstRefusal(tools as unknown[], refuseTool);
}

function refuseTool(tool: unknown): string | undefined {
  const type = isObject(tool) ? tool['type'] : undefined;
  if (typeof type !== 'string') return 'tools: a tool without a type';
  return LOCAL_TOOLS.has(type) ? undefined : hostedTool(type);
}

function refuseChoice(choice: unknown): string | undefined {
  if (isAbsent(choice) || typeof choice === 'string') return undefined;
  if (!isObject(choice)) return 'tool_choice: neither a mode nor a tool';
  if (choice['type'] !== 'allowed_tools') return refuseTool(choice);
  const allowed = choice['allowed_tools'];
  return refuseTools(isObject(allowed) ? allowed['tools'] : undefined);
}

function refuseMessages(messages: unknown): string | undefined {
  if (!Array.isArray(messages)) return 'messages: not a list';
  return firstRefusal(messages as unknown[], (message) => {
    if (!isObject(message)) return 'messages: a message that is not an object';
    if (!isAbsent(message['audio'])) return 'messages: audio is not open to agents';
    const { content, tool_calls: calls } = message;
    return refuseTools(calls) ?? refuseContent(content);
  });
}

function refuseContent(content: unknown): string | undefined {
  if (isAbsent(content) || typeof content === 'string') return undefined;
  return firstRefusal(listOf(content), (part) =>
    isObject(part) ? refusePart(part) : 'messages: content that is neither a text nor an object',
  );
}

function refusePart(part: Fields): string | undefined {
  const { type, image_url: image } = part;
  if (typeof type !== 'string' || !PARTS.has(type))
    return `messages: content of type ${shown(type)} is not open to agents`;
  return refuseImage(image, 'messages');
}

function firstRefusal(values: readonly unknown[], refuse: (value: unknown) => string | undefined): string | undefined {
  for (const value of values) {
    const refused = refuse(value);
    if (refused !== undefined) return refused;
  }
  return undefined;
}
