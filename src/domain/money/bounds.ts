/** How much a request to a model can cost at most: the bound on its answer, which the gateway sets, and on its prompt. */
import { isObject, type Fields } from '../model/values.ts';

/** Whatever the account's own setting is: what is reserved is at this tier's prices. */
const USUAL_TIER = { service_tier: 'default' };

/** The format of a request. */
export type ModelFormat = 'responses' | 'compact' | 'chat' | 'messages';

/** The most tokens of an image, at any of the providers. */
const IMAGE_TOKENS = 20_000;
const IMAGE_DATA = /^data:image\//i;
/** Tokens of a byte of a PDF. */
const PACKED = 4;
/** What a model may think less than it may answer. */
const ANSWER_TOKENS = 1024;

/** A body with a bound on the answer of at most `most` tokens, and that bound; asks for the usage where a stream has none of itself. */
export function bounded(body: Fields, format: ModelFormat, most: number): { body: Fields; output: number } {
  switch (format) {
    case 'compact':
      return { body, output: most };
    case 'responses': {
      const output = least(body['max_output_tokens'], most);
      return { body: { ...body, max_output_tokens: output, ...USUAL_TIER }, output };
    }
    case 'chat': {
      const field =
        body['max_completion_tokens'] === undefined && body['max_tokens'] !== undefined
          ? 'max_tokens'
          : 'max_completion_tokens';
      const output = least(body[field], most);
      const options =
        body['stream'] === true ? { stream_options: { ...fieldsOf(body['stream_options']), include_usage: true } } : {};
      return { body: { ...body, [field]: output, ...options, ...USUAL_TIER }, output };
    }
    case 'messages': {
      const output = least(body['max_tokens'], most);
      return { body: { ...body, max_tokens: output, ...thinkingWithin(body['thinking'], output) }, output };
    }
  }
}

/**
 * The most tokens that a prompt can have: one for each byte, since no token is shorter; an image within it counts as the largest
 * image, and a PDF, whose text is packed, as four times its bytes.
 */
export function mostPromptTokens(body: Fields): number {
  let besides = 0;
  const text = JSON.stringify(body, (key, value: unknown) => {
    if ((key === 'image_url' || key === 'url') && typeof value === 'string' && IMAGE_DATA.test(value)) {
      besides += IMAGE_TOKENS;
      return '';
    }
    if (!isObject(value) || value['type'] !== 'base64' || typeof value['data'] !== 'string') return value;
    const isImage = typeof value['media_type'] === 'string' && value['media_type'].startsWith('image/');
    besides += isImage ? IMAGE_TOKENS : PACKED * value['data'].length;
    return { ...value, data: '' };
  });
  return new TextEncoder().encode(text).length + besides;
}

/** Anthropic refuses a budget for thinking that leaves nothing for the answer. */
function thinkingWithin(thinking: unknown, output: number): Fields {
  if (!isObject(thinking)) return {};
  const { budget_tokens: budget } = thinking;
  if (typeof budget !== 'number' || budget < output) return {};
  return { thinking: { ...thinking, budget_tokens: Math.max(ANSWER_TOKENS, output - ANSWER_TOKENS) } };
}

function least(asked: unknown, most: number): number {
  return typeof asked === 'number' && Number.isInteger(asked) && asked > 0 ? Math.min(asked, most) : most;
}

function fieldsOf(value: unknown): Fields {
  return isObject(value) ? value : {};
}
