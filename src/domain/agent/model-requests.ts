/**
 * What an agent may ask of the model (docs/security.md): its own conversation with tools that run in its workspace. What belongs
 * to the account, reaches other hosts, or goes on without the agent is refused. The lists have what the Codex CLI sends
 * (test/ingress/gateways/codex-through-model-gateway.test.ts), and what its conversations may hold.
 */

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
/** An image within the request itself. */
const IMAGE = /^data:image\/[\w.+-]+(;[\w=.+-]+)*,/i;

const SHOWN_CHARACTERS = 100;

/** Why a request's body is refused, in words for the agent; undefined if it may pass. `model`: that of the run. */
export function refuseModelRequest(body: unknown, model: string): string | undefined {
  if (!isObject(body)) return 'the body is not a JSON object';
  for (const [field, value] of Object.entries(body)) {
    if (FIELDS.has(field) || value === null || value === false) continue;
    return `${shown(field)}: ${REFUSED_FIELDS[field] ?? 'this field is not open to agents'}`;
  }
  const { store, include, tools, tool_choice: choice, input } = body;
  if (body['model'] !== model) return `model: this run uses ${model}, not ${shown(body['model'])}`;
  if (store !== undefined && store !== null && store !== false) return 'store: the account stores nothing for agents';
  if (include !== undefined && include !== null) {
    const other = listOf(include).find((each) => typeof each !== 'string' || !INCLUDED.has(each));
    if (other !== undefined) return `include: ${shown(other)} is not open to agents`;
  }
  return refuseTools(tools) ?? refuseChoice(choice) ?? refuseInput(input);
}

function refuseTools(tools: unknown): string | undefined {
  if (tools === undefined || tools === null) return undefined;
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
  return `tools: ${shown(type)} runs at the model's provider; only tools in the workspace are open to agents`;
}

/** A choice names a tool of the request, or a mode. */
function refuseChoice(choice: unknown): string | undefined {
  if (choice === undefined || choice === null || typeof choice === 'string') return undefined;
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
  if (content === undefined || content === null || typeof content === 'string') return undefined;
  for (const part of listOf(content)) {
    if (!isObject(part)) return 'input: content that is neither a text nor an object';
    const refused = refusePart(part);
    if (refused !== undefined) return refused;
  }
  return undefined;
}

function refusePart(part: Readonly<Record<string, unknown>>): string | undefined {
  const { type, image_url: image } = part;
  // The output of a shell has no type and no addresses.
  if (type !== undefined && (typeof type !== 'string' || !PARTS.has(type)))
    return `input: content of type ${shown(type)} is not open to agents`;
  for (const [field, value] of Object.entries(part)) {
    if (value !== null && field.startsWith('file_'))
      return `input: ${shown(field)}: files of the account are not open to agents`;
  }
  const address = isObject(image) ? image['url'] : image;
  if (address !== undefined && address !== null && (typeof address !== 'string' || !IMAGE.test(address)))
    return 'input: image_url: only images within the request (data:image/…) are open to agents, no addresses';
  return undefined;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [value];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A value on one line. */
function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing');
  return text.slice(0, SHOWN_CHARACTERS).replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, '\u{FFFD}');
}
