/**
 * What an agent may ask of OpenAI's Responses (docs/security.md): its own conversation with tools that run in its workspace. What
 * belongs to the account, reaches other hosts, or goes on without the agent is refused. The lists have what the Codex CLI sends
 * (test/ingress/gateways/codex-through-model-gateway.test.ts), and what its conversations may hold.
 */
import {
  hostedTool,
  isAbsent,
  isObject,
  listOf,
  refuseFields,
  refuseImage,
  refuseOtherModel,
  refuseStoredFiles,
  shown,
  type Fields,
} from './values.ts';

/** Fields of a request to `/responses`. */
const FIELDS: ReadonlySet<string> = new Set([
  'client_metadata',
  'include',
  'input',
  'instructions',
  'max_output_tokens',
  'model',
  'parallel_tool_calls',
  'prompt_cache_key',
  'reasoning',
  'store',
  'stream',
  'stream_options',
  'temperature',
  'text',
  'tool_choice',
  'tools',
  'top_p',
  'truncation',
]);

/** Fields that other clients send; a message may say what they are. */
const REFUSED_FIELDS: Readonly<Record<string, string>> = {
  background: 'background work goes on without the agent',
  conversation: 'conversations that the account stores are not open to agents',
  previous_response_id: 'responses that the account stores are not open to agents',
  prompt: 'prompts that the account stores are not open to agents',
};

/** Tools that run where the agent runs; all others run at the model's provider. */
const LOCAL_TOOLS: ReadonlySet<string> = new Set(['function', 'custom', 'local_shell']);

/** Items of a conversation. */
const ITEMS: ReadonlySet<string> = new Set([
  'additional_tools',
  'agent_message',
  'compaction',
  'compaction_summary',
  'compaction_trigger',
  'configuration_update',
  'context_compaction',
  'custom_tool_call',
  'custom_tool_call_output',
  'function_call',
  'function_call_output',
  'local_shell_call',
  'local_shell_call_output',
  'message',
  'reasoning',
  'tool_search_call',
  'tool_search_output',
]);

/** Parts of an item's content or output. */
const PARTS: ReadonlySet<string> = new Set([
  'encrypted_content',
  'input_image',
  'input_text',
  'output_text',
  'reasoning_text',
  'refusal',
  'summary_text',
  'text',
]);

const INCLUDED: ReadonlySet<string> = new Set(['reasoning.encrypted_content']);

/** Why a request's body is refused, in words for the agent; undefined if it may pass. `model`: that of the run. */
export function refuseResponsesRequest(body: unknown, model: string): string | undefined {
  if (!isObject(body)) return 'the body is not a JSON object';
  const refused = refuseFields(body, FIELDS, REFUSED_FIELDS) ?? refuseOtherModel(body, model);
  if (refused !== undefined) return refused;
  const { store, include, tools, tool_choice: choice, input } = body;
  if (!isAbsent(store) && store !== false) return 'store: the account stores nothing for agents';
  if (!isAbsent(include)) {
    const other = listOf(include).find((each) => typeof each !== 'string' || !INCLUDED.has(each));
    if (other !== undefined) return `include: ${shown(other)} is not open to agents`;
  }
  return refuseTools(tools) ?? refuseChoice(choice) ?? refuseInput(input);
}

function refuseTools(tools: unknown): string | undefined {
  if (isAbsent(tools)) return undefined;
  if (!Array.isArray(tools)) return 'tools: not a list';
  for (const tool of tools as unknown[]) {
    const refused = refuseTool(tool);
    if (refused !== undefined) return refused;
  }
  return undefined;
}

function refuseTool(tool: unknown): string | undefined {
  const type = isObject(tool) ? tool['type'] : undefined;
  if (!isObject(tool) || typeof type !== 'string') return 'tools: a tool without a type';
  if (type === 'namespace') return refuseTools(tool['tools']);
  if (type === 'tool_search' && tool['execution'] === 'client') return undefined;
  if (LOCAL_TOOLS.has(type)) return undefined;
  return hostedTool(type);
}

/** A choice names a tool of the request, or a mode. */
function refuseChoice(choice: unknown): string | undefined {
  if (isAbsent(choice) || typeof choice === 'string') return undefined;
  if (!isObject(choice)) return 'tool_choice: neither a mode nor a tool';
  return choice['type'] === 'allowed_tools' ? refuseTools(choice['tools']) : refuseTool(choice);
}

function refuseInput(input: unknown): string | undefined {
  if (typeof input === 'string') return undefined;
  if (!Array.isArray(input)) return 'input: neither a text nor a list of items';
  for (const item of input as unknown[]) {
    const refused = refuseItem(item);
    if (refused !== undefined) return refused;
  }
  return undefined;
}

function refuseItem(item: unknown): string | undefined {
  if (!isObject(item)) return 'input: an item that is not an object';
  // Without a type an item is a message.
  const type = item['type'] ?? 'message';
  if (typeof type !== 'string' || !ITEMS.has(type)) return `input: items of type ${shown(type)} are not open to agents`;
  if (type === 'additional_tools' || type === 'tool_search_output') {
    const refused = refuseTools(item['tools']);
    if (refused !== undefined) return refused;
  }
  for (const field of ['content', 'output', 'summary']) {
    const refused = refuseContent(item[field]);
    if (refused !== undefined) return refused;
  }
  return undefined;
}

function refuseContent(content: unknown): string | undefined {
  if (isAbsent(content) || typeof content === 'string') return undefined;
  for (const part of listOf(content)) {
    if (!isObject(part)) return 'input: content that is neither a text nor an object';
    const refused = refusePart(part);
    if (refused !== undefined) return refused;
  }
  return undefined;
}

function refusePart(part: Fields): string | undefined {
  const { type } = part;
  // The output of a shell has no type and no addresses.
  if (type !== undefined && (typeof type !== 'string' || !PARTS.has(type)))
    return `input: content of type ${shown(type)} is not open to agents`;
  return refuseStoredFiles(part, 'input') ?? refuseImage(part['image_url'], 'input');
}
