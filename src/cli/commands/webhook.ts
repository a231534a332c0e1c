/** The options of `webhook send`. Its implementation is loaded when it runs. */
import { Argument, InvalidArgumentError, Option, type Command } from 'commander';
import { group, leaf } from './staff.ts';
import { MADE_UP, REVIEW_STATES, type MadeUp, type DeliverySpec } from '../../github-deliveries/payloads.ts';
import type { WebhookLocation } from '../webhook-simulator/resolve.ts';
import type { Given, SendOptions, WebhookAddress } from '../webhook-simulator/send.ts';

export interface WebhookCommandOptions {
  readonly resolveWebhook: (location: WebhookLocation) => Promise<WebhookAddress>;
}

interface Options extends WebhookLocation, SendOptions, Omit<DeliverySpec, 'what' | 'subject' | 'text'> {
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
    group(program, 'webhook', 'simulated webhook deliveries'),
    'send',
    'sign and send a recorded or simulated delivery, and explain the response',
  )
    .addArgument(new Argument('[what]', 'kind of delivery to simulate').choices([...MADE_UP]))
    .option('--event <name>', 'event of a recorded delivery (X-GitHub-Event)')
    .option('--payload <file>', 'file with the body of a recorded delivery; - for standard input')
    .option('--repository <name>', 'the repository: OWNER/NAME')
    .option('--issue <number>', 'the issue', wholeNumber)
    .option('--pull-request <number>', 'the pull request', wholeNumber)
    .option('--label <name>', 'of labeled, unlabeled: the label')
    .option(
      '--labels <names>',
      'all labels of the issue or pull request, separated by commas; default: those on GitHub',
      names,
    )
    .option('--sender <login>', "the sender; default: the owner of the emulator's repositories")
    .option('--no-sender', 'send no sender')
    .option('--as-bot', 'the sender is a bot')
    .addOption(new Option('--state <state>', 'of review: its state').choices([...REVIEW_STATES]))
    .option('--subject-id <id>', "of review, comment: GitHub's id of an existing one", wholeNumber)
    .option('--body <text>', 'of review, comment: the text')
    .option('--merged', 'of closed: the pull request was merged')
    .option('--branch <name>', 'of push: the branch; the default branch by default')
    .option('--deleted', 'of push: the branch was deleted')
    .option('--id <guid>', 'the id of the delivery; default: a new one for each')
    .option('--repeat <count>', 'send the delivery this many times', repeatCount)
    .option('--url <url>', 'URL of the server; default: that of `codex-k8s up`')
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

/** Validates the options: either a recorded delivery or a simulated one. */
async function givenBy(what: MadeUp | undefined, options: Options): Promise<Given> {
  const { CommandProblem } = await import('../../terminal/problems.ts');
  const { event, payload: file, repository, issue, pullRequest, sender, asBot } = options;
  if (what === undefined) {
    if (event === undefined || file === undefined)
      throw new CommandProblem('Name the kind of delivery to simulate, or give --event NAME and --payload FILE', 2);
    return { recorded: { event, file } };
  }
  if (event !== undefined || file !== undefined)
    throw new CommandProblem(`${what} is simulated: --event and --payload are for recorded deliveries only`, 2);
  if (repository === undefined) throw new CommandProblem('Give --repository OWNER/NAME', 2);
  const { label, labels, state, merged, branch, deleted, subjectId: subject, body: text } = options;
  return {
    spec: { what, label, labels, state, merged, branch, deleted, subject, text },
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
