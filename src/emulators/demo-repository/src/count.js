/** Counts what is in one text. A last line without its newline counts too. */
export function countText(text) {
  return {
    lines: text === '' ? 0 : text.replace(/\n$/, '').split('\n').length,
    words: text.split(/\s+/).filter(Boolean).length,
    bytes: Buffer.byteLength(text),
  };
}

/** Adds several counts up. */
export function sumCounts(counts) {
  const total = { lines: 0, words: 0, bytes: 0 };
  for (const { lines, words, bytes } of counts) {
    total.lines += lines;
    total.words += words;
    total.bytes += bytes;
  }
  return total;
}
