/** The commands that use the staff API. Their implementation is loaded when a command runs. */
import { AGENT_CLIS } from '../../domain/stages/clis.ts';
import { LOCALES } from '../../domain/locale.ts';
import { Argument, InvalidArgumentError, Option, type Command } from 'commander';
import { RUN_STATUSES } from '../../domain/run/runs.ts';
import type { ApiAddress, MemberBody } from '../../api-client/api-client.ts';
import type { Session } from '../client/session.ts';
import type { ProjectsSetOptions } from './repositories.ts';
import type { CostsOptions } from './costs.ts';
import type { RunsListOptions } from './runs.ts';
import type { IssuesListOptions } from './issues.ts';

export interface StaffCommandOptions {
  /** Resolves the address of the platform; `data` is the value of --data, when it was given. */
  readonly resolveApi: (data?: string) => Promise<ApiAddress>;
}

/** Command groups that other modules add commands to. */
export interface StaffCommandGroups {
  readonly runs: Command;
  readonly issues: Command;
  readonly carryOut: CarryOut;
}

export interface Shared {
  readonly json?: boolean | undefined;
  readonly data?: string | undefined;
}

/** Runs a command; errors of the API become a message and an exit code. */
export type CarryOut = (shared: Shared, action: (session: Session) => Promise<void>) => Promise<void>;

const ROLES = ['platform_owner', 'platform_admin', 'admin', 'read_write', 'read'];
const EFFORTS = ['low', 'medium', 'high', 'xhigh', 'default'];
const PAGE_MOST = 200;

/** Adds `runs`, `issues`, `repositories`, `labels`, `projects` and `members` to the program. */
export function addStaffCommands(program: Command, { resolveApi }: StaffCommandOptions): StaffCommandGroups {
  const carryOut: CarryOut = async (shared, action) => {
    const [{ createApiClient }, { CommandProblem }, { processTerminal }] = await Promise.all([
      import('../../api-client/api-client.ts'),
      import('../../terminal/problems.ts'),
      import('../../terminal/terminal.ts'),
    ]);
    const terminal = processTerminal();
    const api = createApiClient(await resolveApi(shared.data));
    try {
      await action({ api, terminal, json: shared.json ?? false });
    } catch (error) {
      if (!(error instanceof CommandProblem)) throw error;
      terminal.error(error.message);
      process.exitCode = error.exitCode;
    }
  };

  const runs = group(program, 'runs', 'runs of agents');
  leaf(runs, 'list', 'runs, newest first')
    .addOption(new Option('--status <status>', 'only runs in this state').choices(RUN_STATUSES))
    .option('--issue <issue>', 'only runs of this issue: OWNER/NAME#NUMBER')
    .option('--repository <name>', 'only runs of this repository: OWNER/NAME')
    .option('--limit <count>', 'how many', pageSize)
    .action(async ({ json, data, ...options }: Shared & RunsListOptions) =>
      carryOut({ json, data }, async (session) => (await import('./runs.ts')).runsList(session, options)),
    );
  leaf(runs, 'show', 'show one run and its events')
    .argument('<run>', RUN)
    .action(async (run: string, options: Shared) =>
      carryOut(options, async (session) => (await import('./runs.ts')).runsShow(session, run)),
    );
  leaf(runs, 'logs', "print the agent's log")
    .argument('<run>', RUN)
    .option('-f, --follow', 'follow the log until the run has ended')
    .option('--after <line>', 'only lines after this line number', wholeNumber)
    .action(async (run: string, options: Shared & { follow?: boolean; after?: number }) =>
      carryOut(options, async (session) => (await import('./run-log.ts')).runsLogs(session, run, options)),
    );
  leaf(runs, 'cancel', 'cancel a run')
    .argument('<run>', RUN)
    .option('--reason <text>', 'reason, which is shown on the issue')
    .option('--by <name>', 'who cancels; default: your user name')
    .action(async (run: string, options: Shared & { reason?: string; by?: string }) =>
      carryOut(options, async (session) => (await import('./runs.ts')).runsCancel(session, run, options)),
    );

  leaf(program, 'costs', 'what runs, issues, projects or days have cost')
    .addOption(
      new Option('--by <group>', 'what to add up by').choices(['run', 'issue', 'project', 'day']).default('run'),
    )
    .option('--limit <count>', 'how many', pageSize)
    .action(async ({ json, data, ...options }: Shared & CostsOptions) =>
      carryOut({ json, data }, async (session) => (await import('./costs.ts')).costsList(session, options)),
    );
  leaf(runs, 'answer', 'answer a question of a run')
    .argument('<run>', RUN)
    .argument('<text...>', 'the number or text of an option, or a free answer')
    .option('--request <id>', 'the question you mean; default: the one that the run asks now, which is shown')
    .option('--by <name>', 'who answers; default: your user name')
    .action(async (run: string, text: readonly string[], options: Shared & { request?: string; by?: string }) =>
      carryOut(options, async (session) =>
        (await import('./runs.ts')).runsAnswer(session, run, text.join(' '), options),
      ),
    );
  leaf(runs, 'pause', 'stop the agent of a run until it is resumed')
    .argument('<run>', RUN)
    .option('--reason <text>', 'reason, which is shown with the run')
    .option('--by <name>', 'who acts; default: your user name')
    .action(async (run: string, options: Shared & { reason?: string; by?: string }) =>
      carryOut(options, async (session) => (await import('./runs.ts')).runsPause(session, run, options)),
    );
  leaf(runs, 'resume', 'resume a paused run')
    .argument('<run>', RUN)
    .option('--note <text>', 'a note for its agent')
    .option('--by <name>', 'who acts; default: your user name')
    .action(async (run: string, options: Shared & { note?: string; by?: string }) =>
      carryOut(options, async (session) => (await import('./runs.ts')).runsResume(session, run, options)),
    );

  const issues = group(program, 'issues', 'issues that have had runs');
  leaf(issues, 'list', 'list issues, the most recently changed first')
    .addOption(new Option('--state <state>', 'only issues in this state').choices(['working', 'waiting', 'closed']))
    .option('--repository <name>', 'only issues of this repository: OWNER/NAME')
    .option('--limit <count>', 'how many', pageSize)
    .action(async ({ json, data, ...options }: Shared & IssuesListOptions) =>
      carryOut({ json, data }, async (session) => (await import('./issues.ts')).issuesList(session, options)),
    );
  leaf(issues, 'show', 'show one issue with its runs and events')
    .argument('<issue>', 'OWNER/NAME#NUMBER')
    .action(async (issue: string, options: Shared) =>
      carryOut(options, async (session) => (await import('./issues.ts')).issuesShow(session, issue)),
    );

  leaf(
    group(program, 'repositories', 'repositories whose labels start agents'),
    'add',
    'bind a repository and create its webhook',
  )
    .argument('<repository>', 'OWNER/NAME')
    .option('--project <slug>', 'the project it belongs to')
    .action(async (name: string, options: Shared & { project?: string }) =>
      carryOut(options, async (session) => (await import('./repositories.ts')).repositoriesAdd(session, name, options)),
    );
  leaf(
    group(program, 'labels', "the platform's labels"),
    'sync',
    'create missing labels of a bound repository and correct the others',
  )
    .argument('<repository>', 'OWNER/NAME')
    .action(async (name: string, options: Shared) =>
      carryOut(options, async (session) => (await import('./labels.ts')).labelsSync(session, name)),
    );
  leaf(group(program, 'projects', 'projects and their settings'), 'set', 'change settings of a project')
    .addArgument(new Argument('<slug>', 'the project'))
    .addOption(new Option('--locale <locale>', 'language of comments and prompts').choices(LOCALES))
    .addOption(
      new Option('--agent <program>', 'program of agents unless a label names another').choices([
        ...AGENT_CLIS,
        'default',
      ]),
    )
    .option(
      '--command <program>',
      'the project’s own program with its arguments, for agents that are “command”: “my-agent --flag”, or a JSON array; “default” for none',
    )
    .option('--model <model>', 'model of agents unless a label names another; “default” uses the platform’s')
    .addOption(new Option('--reasoning <effort>', 'reasoning effort of agents').choices(EFFORTS))
    .option(
      '--namespace <template>',
      'template for the names of workspace namespaces, like “{{ .Project }}-dev-{{ .Slot }}”; “default” names them after the issue',
    )
    .option(
      '--branch-prefix <prefix>',
      'what the names of branches begin with, like “codex-k8s” or “bots/codex”; “default” is “codex”',
    )
    .option(
      '--egress <blocks>',
      'additional addresses that agents may reach, like “203.0.113.0/24,198.51.100.7”; “default” allows only the installation’s',
    )
    .addOption(new Option('--learning <mode>', 'whether agents explain what they change').choices(['on', 'off']))
    .action(async (slug: string, options: Shared & ProjectsSetOptions) =>
      carryOut(options, async (session) => (await import('./repositories.ts')).projectsSet(session, slug, options)),
    );
  const members = group(program, 'members', 'people who may start agents');
  leaf(members, 'add', 'add a member, or set their role')
    .addArgument(new Argument('<login>', "the person's login on GitHub"))
    .addOption(new Option('--role <role>', 'role').choices(ROLES).makeOptionMandatory())
    .option('--project <slug>', 'the project, unless the role is one of the platform')
    .addOption(
      new Option(
        '--learning <mode>',
        'whether agents explain what they change to this member; “default”: as the project has it',
      ).choices(['on', 'off', 'default']),
    )
    .action(async (login: string, options: Shared & Pick<MemberBody, 'role' | 'project' | 'learning'>) =>
      carryOut(options, async (session) => (await import('./repositories.ts')).membersAdd(session, login, options)),
    );
  leaf(members, 'remove', 'take a role from a member')
    .addArgument(new Argument('<login>', "the person's login on GitHub"))
    .option('--project <slug>', 'only the role in this project; without it, every role')
    .action(async (login: string, options: Shared & { project?: string }) =>
      carryOut(options, async (session) => (await import('./repositories.ts')).membersRemove(session, login, options)),
    );

  return { runs, issues, carryOut };
}

export const RUN = 'the id of a run, or the first 6 or more characters of it';

/** Creates a command group. Wrong usage exits with 2, so that a script can distinguish it from a failed request. */
export function group(program: Command, name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2));
}

/** Creates a command of a group, with the options that all of them have. */
export function leaf(parent: Command, name: string, description: string): Command {
  return parent
    .command(name)
    .description(description)
    .option('--json', 'print JSON')
    .addOption(new Option('--data <directory>', 'where `codex-k8s up` keeps everything').env('CODEXK8S_DATA'));
}

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('Give a whole number.');
  return Number(text);
}

function pageSize(text: string): number {
  const size = wholeNumber(text);
  if (size < 1 || size > PAGE_MOST) throw new InvalidArgumentError(`Give a number from 1 to ${PAGE_MOST}.`);
  return size;
}
