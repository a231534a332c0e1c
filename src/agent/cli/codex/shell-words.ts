/** Parsing of quoted shell commands. */

const WRAPPER = /^(?:\S*\/)?(?:bash|zsh|dash|sh) -l?c ([\s\S]+)$/;

/** The command without its shell wrapper: `ls -la` for `/bin/bash -c 'ls -la'`. */
export function unwrapShell(command: string): string {
  const inner = WRAPPER.exec(command)?.[1];
  if (inner === undefined) return command;
  return unquoteWord(inner) ?? command;
}

/** The text as one unquoted POSIX shell word; undefined if it is more than one word. */
function unquoteWord(text: string): string | undefined {
  let word = '';
  let rest = text;
  while (rest !== '') {
    const part =
      /^'([^']*)'/.exec(rest) ?? /^"((?:[^"\\]|\\[\s\S])*)"/.exec(rest) ?? /^([^\s'"\\]+|\\[\s\S])/.exec(rest);
    if (!part) return undefined;
    word += unescapePart(part[0], part[1] ?? '');
    rest = rest.slice(part[0].length);
  }
  return word;
}

function unescapePart(quoted: string, content: string): string {
  if (quoted.startsWith("'")) return content;
  if (quoted.startsWith('"')) return content.replace(/\\([$`"\\])/g, '$1').replaceAll('\\\n', '');
  return content.startsWith('\\') ? content.slice(1) : content;
}
