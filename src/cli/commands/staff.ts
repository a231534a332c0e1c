/** The commands for people at a terminal. What carries them out is loaded when one runs. */
import { LOCALES } from '../../domain/locale.ts';
import { Argument, InvalidArgumentError, Option, type Command } from 'commander';
import { RUN_STATUSES } from '../../domain/run/runs.ts';
import type { ApiAddress, MemberBody } from '../../api-client/api-client.ts';
import type { Session } from '../client/session.ts';
import type { ProjectsSetOptions } from './repositories.ts';
import type { RunsListOptions } from './runs.ts';
import type { IssuesListOptions } from './issues.ts';

export interface StaffCommandOptions {
  /** Where the platform is; `data` is the value of --data, when it was given. */
  readonly resolveApi: (data?: string) => Promise<ApiAddress>;
}

/** The groups, so that others can add their commands to them. */
export interface StaffCommandGroups {
  readonly runs: Command;
  readonly issues: Command;
}

interface Shared {
  readonly json?: boolean;
  readonly data?: string;
}

const ROLES = ['platform_owner', 'platform_admin', 'admin', 'read_write', 'read'];
const EFFORTS = ['low', 'medium', 'high', 'xhigh', 'default'];
const PAGE_MOST = 200;

/** Adds `runs`, `issues`, `repositories`, `labels`, `projects` and `members` to the program. */
export function addStaffCommands(program: Command, { resolveApi }: StaffCommandOptions): StaffCommandGroups {
  /** Carries a command out; its problems become a sentence and an exit code. */
  async function carryOut(shared: Shared, act: (session: Session) => Promise<void>): Promise<void> {
    const [{ createApiClient }, { CommandProblem }, { processTerminal }] = await Promise.all([
      import('../../api-client/api-client.ts'),
      import('../../terminal/problems.ts'),
      import('../../terminal/terminal.ts'),
    ]);
    const terminal = processTerminal();
    const api = createApiClient(await resolveApi(shared.data));
    try {
      await act({ api, terminal, json: shared.json ?? false });
    } catch (error) {
      if (!(error instanceof CommandProblem)) throw error;
      terminal.error(error.message);
      process.exitCode = error.exitCode;
    }
  }

  const runs = group(program, 'runs', 'what agents do and did');
  leaf(runs, 'list', 'runs, newest first')
    .addOption(new Option('--status <status>', 'only runs in this state').choices(RUN_STATUSES))
    .option('--issue <issue>', 'only runs of this issue: OWNER/NAME#NUMBER')
    .option('--repository <name>', 'only runs of this repository: OWNER/NAME')
    .option('--limit <count>', 'how many', pageSize)
    .action(async ({ json, data, ...options }: Shared & RunsListOptions) =>
      carryOut({ json, data } as Shared, async (session) => (await import('./runs.ts')).runsList(session, options)),
    );
  leaf(runs, 'show', 'one run, and what happened')
    .argument('<run>', RUN)
    .action(async (run: string, options: Shared) =>
      carryOut(options, async (session) => (await import('./runs.ts')).runsShow(session, run)),
    );
  leaf(runs, 'logs', 'what the agent says')
    .argument('<run>', RUN)
    .option('-f, --follow', 'go on until the run is over')
    .option('--after <line>', 'only lines after this one', wholeNumber)
    .action(async (run: string, options: Shared & { follow?: boolean; after?: number }) =>
      carryOut(options, async (session) => (await import('./run-log.ts')).runsLogs(session, run, options)),
    );
  leaf(runs, 'cancel', 'end a run')
    .argument('<run>', RUN)
    .option('--reason <text>', 'why; it is shown on the issue')
    .option('--by <name>', 'who asks; your user name by default')
    .action(async (run: string, options: Shared & { reason?: string; by?: string }) =>
      carryOut(options, async (session) => (await import('./runs.ts')).runsCancel(session, run, options)),
    );

  leaf(runs, 'answer', 'answer what a run asks')
    .argument('<run>', RUN)
    .argument('<text...>', 'the number of an option, its words, or a free answer')
    .option('--by <name>', 'who answers; your user name by default')
    .action(async (run: string, text: readonly string[], options: Shared & { by?: string }) =>
      carryOut(options, async (session) =>
        (await import('./runs.ts')).runsAnswer(session, run, text.join(' '), options),
      ),
    );
  leaf(runs, 'pause', 'stop the agent of a run until it is resumed')
    .argument('<run>', RUN)
    .option('--reason <text>', 'why; it is shown with the run')
    .option('--by <name>', 'who asks; your user name by default')
    .action(async (run: string, options: Shared & { reason?: string; by?: string }) =>
      carryOut(options, async (session) => (await import('./runs.ts')).runsPause(session, run, options)),
    );
  leaf(runs, 'resume', 'let a paused run go on')
    .argument('<run>', RUN)
    .option('--note <text>', 'what its agent should know')
    .option('--by <name>', 'who asks; your user name by default')
    .action(async (run: string, options: Shared & { note?: string; by?: string }) =>
      carryOut(options, async (session) => (await import('./runs.ts')).runsResume(session, run, options)),
    );

  const issues = group(program, 'issues', 'issues that were given to agents');
  leaf(issues, 'list', 'issues, the one that changed last first')
    .addOption(new Option('--state <state>', 'only issues in this state').choices(['working', 'waiting', 'closed']))
    .option('--repository <name>', 'only issues of this repository: OWNER/NAME')
    .option('--limit <count>', 'how many', pageSize)
    .action(async ({ json, data, ...options }: Shared & IssuesListOptions) =>
      carryOut({ json, data } as Shared, async (session) => (await import('./issues.ts')).issuesList(session, options)),
    );
  leaf(issues, 'show', 'one issue with its runs, and what happened')
    .argument('<issue>', 'OWNER/NAME#NUMBER')
    .action(async (issue: string, options: Shared) =>
      carryOut(options, async (session) => (await import('./issues.ts')).issuesShow(session, issue)),
    );

  leaf(group(program, 'repositories', 'repositories whose labels start agents'), 'add', 'bind and hook a repository')
    .argument('<repository>', 'OWNER/NAME')
    .option('--project <slug>', 'the project it belongs to')
    .action(async (name: string, options: Shared & { project?: string }) =>
      carryOut(options, async (session) => (await import('./repositories.ts')).repositoriesAdd(session, name, options)),
    );
  leaf(
    group(program, 'labels', 'the labels that mean something'),
    'sync',
    'create and correct them in a bound repository',
  )
    .argument('<repository>', 'OWNER/NAME')
    .action(async (name: string, options: Shared) =>
      carryOut(options, async (session) => (await import('./labels.ts')).labelsSync(session, name)),
    );
  leaf(group(program, 'projects', 'what repositories have in common'), 'set', 'choose language and model of its runs')
    .addArgument(new Argument('<slug>', 'the project'))
    .addOption(new Option('--locale <locale>', 'language of comments and prompts').choices(LOCALES))
    .option(
      '--model <model>',
      'what agents work with unless a label says otherwise; “default” leaves it to the platform',
    )
    .addOption(new Option('--reasoning <effort>', 'how hard they think').choices(EFFORTS))
    .option(
      '--namespace <template>',
      'how namespaces of whole workspaces are called, like “{{ .Project }}-dev-{{ .Slot }}”; “default” names them after the issue',
    )
    .option(
      '--egress <blocks>',
      'addresses that agents reach besides the platform, like “203.0.113.0/24,198.51.100.7”; “default” is none but the installation’s',
    )
    .action(async (slug: string, options: Shared & ProjectsSetOptions) =>
      carryOut(options, async (session) => (await import('./repositories.ts')).projectsSet(session, slug, options)),
    );
  leaf(group(program, 'members', 'people who may start agents'), 'add', 'give a person a role')
    .addArgument(new Argument('<login>', "the person's login on GitHub"))
    .addOption(new Option('--role <role>', 'what they may do').choices(ROLES).makeOptionMandatory())
    .option('--project <slug>', 'the project, unless the role is one of the platform')
    .action(async (login: string, options: Shared & Pick<MemberBody, 'role' | 'project'>) =>
      carryOut(options, async (session) => (await import('./repositories.ts')).membersAdd(session, login, options)),
    );

  return { runs, issues };
}

const RUN = 'the id of a run, or the first 6 or more characters of it';

/** Wrong usage ends with 2, so that a script can tell it from a request that failed. */
export function group(program: Command, name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2));
}

/** A command of a group, with what every one of them takes. */
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
