/** Values of a request's body whose shape is not known, and how a refusal shows them. */

/** An image within the request itself. */
const IMAGE = /^data:image\/[\w.+-]+(;[\w=.+-]+)*,/i;

const SHOWN_CHARACTERS = 100;

/** Part of a request's body. */
export type Fields = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [value];
}

/** True if a field says nothing. */
export function isAbsent(value: unknown): value is undefined | null {
  return value === undefined || value === null;
}

/** A value on one line, cut. */
export function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing');
  return text.slice(0, SHOWN_CHARACTERS).replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, '\u{FFFD}');
}

/** Why a body is refused for a field that is not on the list; `known`: what a message may say of such a field. */
export function refuseFields(
  body: Fields,
  open: ReadonlySet<string>,
  known: Readonly<Record<string, string>>,
): string | undefined {
  for (const [field, value] of Object.entries(body)) {
    if (open.has(field) || value === null || value === false) continue;
    return `${shown(field)}: ${known[field] ?? 'this field is not open to agents'}`;
  }
  return undefined;
}

export function refuseOtherModel(body: Fields, model: string): string | undefined {
  return body['model'] === model ? undefined : `model: this run uses ${model}, not ${shown(body['model'])}`;
}

/** Why the image of an `image_url` is refused: a text, or an object with a `url`. `where`: the field, for the message. */
export function refuseImage(image: unknown, where: string): string | undefined {
  const address = isObject(image) ? image['url'] : image;
  if (isAbsent(address) || (typeof address === 'string' && IMAGE.test(address))) return undefined;
  return `${where}: image_url: only images within the request (data:image/…) are open to agents, no addresses`;
}

/** A field that names a file which the account has stored. */
export function refuseStoredFiles(part: Fields, where: string): string | undefined {
  const field = Object.keys(part).find((name) => name.startsWith('file_') && part[name] !== null);
  return field === undefined ? undefined : `${where}: ${shown(field)}: files of the account are not open to agents`;
}

/** The refusal of a tool that runs at the provider. */
export function hostedTool(type: unknown): string {
  return `tools: ${shown(type)} runs at the model's provider; only tools in the workspace are open to agents`;
}
