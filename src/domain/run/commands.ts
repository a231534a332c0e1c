/** The commands by which comments decide: `/approve ID`, `/deny ID reason`, `/answer ID text`. Pure. */
import { requestNumber, withoutQuotes, type GivenAnswer, type Request } from './requests.ts';

const COMMAND = /^\/(approve|deny|answer)(?:[ \t]+([\s\S]*))?$/i;

/**
 * What a comment says to the open request: an answer or a verdict, or the problem of a command. A plain comment answers a
 * question, and says nothing to an approval (undefined), as does a comment that is another command.
 */
export function readCommand(
  request: Pick<Request, 'id' | 'kind'>,
  comment: string,
): GivenAnswer | { readonly problem: string } | undefined {
  const text = withoutQuotes(comment);
  const [, name, rest = ''] = COMMAND.exec(text) ?? [];
  if (name === undefined) {
    return request.kind === 'approval' || /^\/steer\b/i.test(text) ? undefined : { text: comment };
  }
  const command = name.toLowerCase();
  const [, named = '', said = ''] = /^(\S+)\s*([\s\S]*)$/.exec(rest.trim()) ?? [];
  if (!isNamed(request, named)) {
    const open = `request ${requestNumber(request.id)} (${request.id}) is open now`;
    return {
      problem:
        named === ''
          ? `/${command} needs the number of the request: ${open}`
          : `There is no open request ${named}: ${open}`,
    };
  }
  if (command === 'answer') return { text: said };
  return { text: said, decision: command === 'approve' ? 'approved' : 'denied' };
}

/** Whether a text names a request: by its id, its number in the run (`2`, `#2`), or the id's beginning with the number. */
function isNamed({ id }: Pick<Request, 'id'>, named: string): boolean {
  if (named === id || named.replace(/^#/, '') === requestNumber(id)) return true;
  const [, start, n] = /^([0-9a-f-]{6,36})\.(\d+)$/i.exec(named) ?? [];
  return start !== undefined && id.startsWith(start.toLowerCase()) && n === requestNumber(id);
}
