/** Characters that people do not see, and in which an instruction or a name can be hidden. Pure. */

/**
 * What Unicode has shown as nothing: direction marks and overrides, zero-width spaces and joiners, soft hyphens, invisible operators,
 * fillers, variation selectors and tags; annotation marks; and control characters other than tab and line ends.
 */
const INVISIBLE = /[\p{Default_Ignorable_Code_Point}\uFFF9-\uFFFB]|(?![\t\n\r])\p{Cc}/gu;

/** What belongs to a visible character: an emoji's presentation, and the joiner between two emoji. */
const OF_EMOJI =
  /(?<=[\p{Extended_Pictographic}\p{Emoji_Modifier}#*0-9])\uFE0F|(?<=[\p{Extended_Pictographic}\p{Emoji_Modifier}]\uFE0F?)\u200D(?=\p{Extended_Pictographic})/gu;

/** A text without what cannot be seen in it, and how many such characters there were. */
export function withoutInvisible(text: string): { readonly text: string; readonly removed: number } {
  const kept = new Set([...text.matchAll(OF_EMOJI)].map(({ index }) => index));
  let removed = 0;
  const clean = text.replaceAll(INVISIBLE, (found, index: number) => {
    if (kept.has(index)) return found;
    removed += 1;
    return '';
  });
  return { text: clean, removed };
}
