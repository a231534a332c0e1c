import { describe, expect, test } from 'vitest';
import { refuseResponsesRequest } from '../../../src/domain/model/responses-requests.ts';

const PLAIN = {
  model: 'gpt-5.5',
  stream: true,
  store: false,
  input: [{ type: 'message', role: 'user', content: 'Go on' }],
};
const refuse = (more: object): string | undefined => refuseResponsesRequest({ ...PLAIN, ...more }, 'gpt-5.5');
const message = (...content: object[]) => ({ input: [{ type: 'message', role: 'user', content }] });
const IMAGE = 'data:image/png;base64,AAAA';

describe('S2: the model gateway refuses', () => {
  test.each<[string, object, string]>([
    ['another model', { model: 'gpt-5.5-pro' }, 'model: this run uses gpt-5.5, not gpt-5.5-pro'],
    ['no model', { model: undefined }, 'model: this run uses gpt-5.5, not nothing'],
    ['a model that is no text', { model: ['gpt-5.5'] }, 'model: this run uses gpt-5.5'],
    ['a search on the web', { tools: [{ type: 'web_search' }] }, "tools: web_search runs at the model's provider"],
    ['a dated search', { tools: [{ type: 'web_search_preview_2025_03_11' }] }, 'web_search_preview_2025_03_11 runs at'],
    ['a search in files', { tools: [{ type: 'file_search', vector_store_ids: ['vs'] }] }, 'file_search runs at'],
    [
      'a container with code',
      { tools: [{ type: 'code_interpreter', container: { type: 'auto' } }] },
      'code_interpreter runs',
    ],
    ['a remote MCP server', { tools: [{ type: 'mcp', server_url: 'https://x.test' }] }, 'mcp runs at'],
    ['images that are made', { tools: [{ type: 'image_generation' }] }, 'image_generation runs at'],
    ['a computer', { tools: [{ type: 'computer_use_preview' }] }, 'computer_use_preview runs at'],
    ['a hosted shell', { tools: [{ type: 'shell' }] }, 'shell runs at'],
    ['a search for tools at the provider', { tools: [{ type: 'tool_search' }] }, 'tool_search runs at'],
    [
      'a hosted tool in a namespace',
      { tools: [{ type: 'namespace', tools: [{ type: 'web_search' }] }] },
      'web_search runs at',
    ],
    ['a tool without a type', { tools: [{ name: 'x' }] }, 'a tool without a type'],
    ['tools that are no list', { tools: { type: 'web_search' } }, 'tools: not a list'],
    ['the choice of a hosted tool', { tool_choice: { type: 'file_search' } }, 'file_search runs at'],
    [
      'the choice among hosted tools',
      { tool_choice: { type: 'allowed_tools', mode: 'auto', tools: [{ type: 'mcp' }] } },
      'mcp runs at',
    ],
    [
      'tools that come later',
      { input: [{ type: 'additional_tools', tools: [{ type: 'web_search' }] }] },
      'web_search runs at',
    ],
    ['tools that were found', { input: [{ type: 'tool_search_output', tools: [{ type: 'mcp' }] }] }, 'mcp runs at'],
    [
      'the address of an image',
      message({ type: 'input_image', image_url: 'https://x.test/a.png' }),
      'image_url: only images',
    ],
    [
      'an address in an object',
      message({ type: 'input_image', image_url: { url: 'http://x.test' } }),
      'image_url: only images',
    ],
    [
      'an address like data',
      message({ type: 'input_image', image_url: ' data:image/png;base64,' }),
      'image_url: only images',
    ],
    [
      'data that are no image',
      message({ type: 'input_image', image_url: 'data:text/html,x' }),
      'image_url: only images',
    ],
    ['a stored image', message({ type: 'input_image', file_id: 'file-1' }), 'file_id: files of the account'],
    ['a stored file', message({ type: 'input_file', file_id: 'file-1' }), 'content of type input_file'],
    [
      'the address of a file',
      message({ type: 'input_file', file_url: 'https://x.test/a.pdf' }),
      'content of type input_file',
    ],
    ['sound', message({ type: 'input_audio', input_audio: {} }), 'content of type input_audio'],
    [
      'an address in the output of a tool',
      {
        input: [
          {
            type: 'function_call_output',
            call_id: 'c',
            output: [{ type: 'input_image', image_url: 'https://x.test' }],
          },
        ],
      },
      'image_url: only images',
    ],
    [
      'an address in a message without a type',
      { input: [{ role: 'user', content: [{ type: 'input_image', image_url: 'https://x.test' }] }] },
      'image_url',
    ],
    ['an item that is stored', { input: [{ type: 'item_reference', id: 'msg_1' }] }, 'items of type item_reference'],
    [
      'the call of a hosted tool',
      { input: [{ type: 'mcp_approval_response', approve: true }] },
      'mcp_approval_response',
    ],
    ['a stored prompt', { prompt: { id: 'pmpt_1' } }, 'prompt: prompts that the account stores'],
    [
      'a stored response',
      { previous_response_id: 'resp_1' },
      'previous_response_id: responses that the account stores',
    ],
    ['a stored conversation', { conversation: 'conv_1' }, 'conversation: conversations that the account stores'],
    ['work in the background', { background: true }, 'background: background work goes on without the agent'],
    ['what is to be stored', { store: true }, 'store: the account stores nothing'],
    ['a field that nobody knows', { webhook: 'https://x.test' }, 'webhook: this field is not open to agents'],
    ['a faster service', { service_tier: 'priority' }, 'service_tier: this field is not open'],
    ['what hosted tools found', { include: ['file_search_call.results'] }, 'include: file_search_call.results'],
    ['no input', { input: undefined }, 'input: neither a text nor a list'],
  ])('%s', (_what, more, reason) => {
    expect(refuse(more)).toContain(reason);
  });

  test.each([null, [], 'text', 7])('a body that is %j', (body) => {
    expect(refuseResponsesRequest(body, 'gpt-5.5')).toBe('the body is not a JSON object');
  });

  test('names nothing over several lines', () => {
    expect(refuse({ 'a\nb\u202e': 1 })).not.toMatch(/\p{C}/u);
  });
});

describe('it lets pass', () => {
  test.each<[string, object]>([
    ['a text', { input: 'Go on' }],
    [
      'function and custom tools',
      {
        tools: [
          { type: 'function', name: 'exec_command' },
          { type: 'custom', name: 'apply_patch' },
        ],
      },
    ],
    [
      'a search for tools in the workspace',
      { tools: [{ type: 'tool_search', execution: 'client', description: '', parameters: {} }] },
    ],
    [
      'functions in a namespace',
      { tools: [{ type: 'namespace', name: 'n', tools: [{ type: 'function', name: 'f' }] }] },
    ],
    ['a choice of its own tools', { tool_choice: { type: 'function', name: 'f' } }],
    ['an image within the request', message({ type: 'input_image', image_url: IMAGE, detail: 'high' })],
    [
      'the image of a tool',
      { input: [{ type: 'function_call_output', call_id: 'c', output: [{ type: 'input_image', image_url: IMAGE }] }] },
    ],
    [
      'reasoning',
      {
        include: ['reasoning.encrypted_content'],
        input: [{ type: 'reasoning', summary: [{ type: 'summary_text', text: 'x' }], encrypted_content: 'x' }],
      },
    ],
    [
      'a conversation that was made shorter',
      { input: [{ type: 'compaction', encrypted_content: 'x' }, { type: 'compaction_trigger' }] },
    ],
    ['fields that are off', { background: false, previous_response_id: null, prompt: null }],
    [
      'words about addresses',
      { input: [{ type: 'message', role: 'user', content: 'See image_url: https://x.test and file_id file-1' }] },
    ],
  ])('%s', (_what, more) => {
    expect(refuse(more)).toBeUndefined();
  });
});
