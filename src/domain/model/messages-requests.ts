/**
 * What an agent may ask of Anthropic's Messages (docs/security.md), of an answer and of a count of tokens alike: its own
 * conversation with tools that run in its workspace. The lists have what Claude Code sends
 * (test/ingress/gateways/model-claude-requests.test.ts), and what its conversations may hold.
 */
import { hostedTool, isAbsent, isObject, refuseFields, refuseOtherModel, shown, type Fields } from './values.ts';

/** Fields of a request to `/messages`. */
const FIELDS: ReadonlySet<string> = new Set([
  'cache_control',
  'context_management',
  'max_tokens',
  'messages',
  'metadata',
  'model',
  'output_config',
  'output_format',
  'stop_sequences',
  'stream',
  'system',
  'temperature',
  'thinking',
  'tool_choice',
  'tools',
  'top_k',
  'top_p',
]);

const REFUSED_FIELDS: Readonly<Record<string, string>> = {
  container: "code that runs at the model's provider is not open to agents",
  mcp_servers: "servers that the model's provider calls are not open to agents",
  service_tier: 'the platform chooses the service tier',
  speed: 'the platform chooses the service tier',
};

/** Tools that Anthropic describes and the agent runs; with no type, or `custom`, the agent describes them as well. */
const LOCAL_TOOL = /^(bash|text_editor|memory|computer)_\d{8}$/;
/** Changes of the context that leave things out; others have the model write, which costs. */
const EDIT = /^clear_(thinking|tool_uses)_\d{8}$/;

/** Blocks of a message. */
const BLOCKS: ReadonlySet<string> = new Set([
  'document',
  'image',
  'redacted_thinking',
  'search_result',
  'text',
  'thinking',
  'tool_addition',
  'tool_reference',
  'tool_removal',
  'tool_result',
  'tool_use',
]);
/** Where an image or a document may come from: the request itself. */
const SOURCES: ReadonlySet<string> = new Set(['base64', 'content', 'text']);

/** Why a body is refused, in words for the agent; undefined if it may pass. `model`: that of the run. */
export function refuseMessagesRequest(body: unknown, model: string): string | undefined {
  if (!isObject(body)) return 'the body is not a JSON object';
  const { tools, system, messages, context_management: management } = body;
  return (
    refuseFields(body, FIELDS, REFUSED_FIELDS) ??
    refuseOtherModel(body, model) ??
    refuseEdits(management) ??
    refuseTools(tools) ??
    refuseContent(system, 'system') ??
    refuseMessages(messages)
  );
}

function refuseEdits(management: unknown): string | undefined {
  if (isAbsent(management)) return undefined;
  if (!isObject(management)) return 'context_management: not an object';
  return each(management['edits'], 'context_management', (edit) => {
    const type = isObject(edit) ? edit['type'] : undefined;
    if (typeof type === 'string' && EDIT.test(type)) return undefined;
    return `context_management: ${shown(type)} is not open to agents`;
  });
}

function refuseTools(tools: unknown): string | undefined {
  return each(tools, 'tools', refuseTool);
}

function refuseTool(tool: unknown): string | undefined {
  if (!isObject(tool)) return 'tools: a tool that is not an object';
  const { type } = tool;
  if (isAbsent(type) || type === 'custom' || type === 'tool_reference') return undefined;
  return typeof type === 'string' && LOCAL_TOOL.test(type) ? undefined : hostedTool(type);
}

function refuseMessages(messages: unknown): string | undefined {
  if (!Array.isArray(messages)) return 'messages: not a list';
  return each(messages, 'messages', (message) =>
    isObject(message) ? refuseContent(message['content'], 'messages') : 'messages: a message that is not an object',
  );
}

function refuseContent(content: unknown, where: string): string | undefined {
  if (typeof content === 'string') return undefined;
  return each(content, where, (block) =>
    isObject(block) ? refuseBlock(block, where) : `${where}: content that is neither a text nor an object`,
  );
}

function refuseBlock(block: Fields, where: string): string | undefined {
  const { type, source, content, tool, tools } = block;
  if (typeof type !== 'string' || !BLOCKS.has(type))
    return `${where}: content of type ${shown(type)} is not open to agents`;
  if (type === 'tool_addition') return (tool === undefined ? undefined : refuseTool(tool)) ?? refuseTools(tools);
  if (type === 'image' || type === 'document') return refuseSource(source, where);
  return type === 'tool_result' || type === 'search_result' ? refuseContent(content, where) : undefined;
}

function refuseSource(source: unknown, where: string): string | undefined {
  const type = isObject(source) ? source['type'] : undefined;
  if (!isObject(source) || typeof type !== 'string' || !SOURCES.has(type))
    return `${where}: source: only what is within the request is open to agents, not ${shown(type)}`;
  return type === 'content' ? refuseContent(source['content'], where) : undefined;
}

/** The first refusal in a list; none if the list is absent. */
function each(list: unknown, where: string, refuse: (value: unknown) => string | undefined): string | undefined {
  if (isAbsent(list)) return undefined;
  if (!Array.isArray(list)) return `${where}: not a list`;
  for (const value of list as unknown[]) {
    const refused = refuse(value);
    if (refused !== undefined) return refused;
  }
  return undefined;
}
