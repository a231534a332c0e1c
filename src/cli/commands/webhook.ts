/** `webhook send`: its options. What carries it out is loaded when it runs. */
import { Argument, InvalidArgumentError, Option, type Command } from 'commander';
import { group, leaf } from './staff.ts';
import { MADE_UP, REVIEW_STATES, type MadeUp, type Wish } from '../../github-deliveries/payloads.ts';
import type { WebhookPlace } from '../webhook-simulator/resolve.ts';
import type { Given, SendOptions, WebhookAddress } from '../webhook-simulator/send.ts';

export interface WebhookCommandOptions {
  readonly resolveWebhook: (place: WebhookPlace) => Promise<WebhookAddress>;
}

interface Options extends WebhookPlace, SendOptions, Omit<Wish, 'what' | 'subject' | 'text'> {
  readonly event?: string;
  readonly payload?: string;
  readonly repository?: string;
  readonly issue?: number;
  readonly pullRequest?: number;
  readonly sender?: string | false;
  readonly asBot?: boolean;
  readonly subjectId?: number;
  readonly body?: string;
}

const REPEAT_MOST = 1000;

/** Adds the group `webhook` to the program. */
export function addWebhookCommands(program: Command, { resolveWebhook }: WebhookCommandOptions): void {
  leaf(
    group(program, 'webhook', "deliveries that nobody's click caused"),
    'send',
    'sign and send a delivery, recorded or made up, and say what the answer means',
  )
    .addArgument(new Argument('[what]', 'what to make up').choices([...MADE_UP]))
    .option('--event <name>', "a recorded delivery: its event, GitHub's X-GitHub-Event")
    .option('--payload <file>', 'a recorded delivery: its bytes; - for standard input')
    .option('--repository <name>', 'where it happens: OWNER/NAME')
    .option('--issue <number>', 'the issue', wholeNumber)
    .option('--pull-request <number>', 'the pull request', wholeNumber)
    .option('--label <name>', 'of labeled, unlabeled: the label')
    .option('--labels <names>', 'all labels that are on, with commas between; what GitHub shows by default', names)
    .option('--sender <login>', 'who did it; the owner of the stand-in by default')
    .option('--no-sender', 'nobody did it')
    .option('--as-bot', 'the sender is a bot')
    .addOption(new Option('--state <state>', 'of review: what the reviewer says').choices([...REVIEW_STATES]))
    .option('--subject-id <id>', "of review, comment: GitHub's id of it, to tell of one that is there", wholeNumber)
    .option('--body <text>', 'of review, comment: the text')
    .option('--merged', 'of closed: the pull request was merged')
    .option('--branch <name>', 'of push: the branch; the default branch by default')
    .option('--deleted', 'of push: the branch was deleted')
    .option('--id <guid>', 'the id of the delivery; a new one for each by default')
    .option('--repeat <count>', 'send it so often', repeatCount)
    .option('--url <url>', 'the server, when it is not that of `codex-k8s up`')
    .option('--secret-file <file>', "the webhook's secret, with --url")
    .action(async (what: MadeUp | undefined, options: Options) => {
      const [{ webhookSend }, { processTerminal }, { CommandProblem }] = await Promise.all([
        import('../webhook-simulator/send.ts'),
        import('../../terminal/terminal.ts'),
        import('../../terminal/problems.ts'),
      ]);
      const terminal = processTerminal();
      try {
        const given = await givenBy(what, options);
        process.exitCode = await webhookSend(await resolveWebhook(options), given, options, terminal);
      } catch (error) {
        if (!(error instanceof CommandProblem)) throw error;
        terminal.error(error.message);
        process.exitCode = error.exitCode;
      }
    });
}

/** A recorded delivery, or one that is to be made up; not half of each. */
async function givenBy(what: MadeUp | undefined, options: Options): Promise<Given> {
  const { CommandProblem } = await import('../../terminal/problems.ts');
  const { event, payload: file, repository, issue, pullRequest, sender, asBot } = options;
  if (what === undefined) {
    if (event === undefined || file === undefined)
      throw new CommandProblem('Say what to make up, or give --event NAME and --payload FILE', 2);
    return { recorded: { event, file } };
  }
  if (event !== undefined || file !== undefined)
    throw new CommandProblem(`${what} is made up: give neither --event nor --payload`, 2);
  if (repository === undefined) throw new CommandProblem('Give --repository OWNER/NAME', 2);
  const { label, labels, state, merged, branch, deleted, subjectId: subject, body: text } = options;
  return {
    wish: { what, label, labels, state, merged, branch, deleted, subject, text },
    subjects: { repository, issue, pullRequest, sender, asBot },
  };
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new InvalidArgumentError('Give a whole number.');
  return Number(text);
}

function repeatCount(text: string): number {
  const count = wholeNumber(text);
  if (count > REPEAT_MOST) throw new InvalidArgumentError(`Give a number from 1 to ${REPEAT_MOST}.`);
  return count;
}

function names(text: string): string[] {
  return text
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean);
}
