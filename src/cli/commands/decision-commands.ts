/** The commands of approvals: `decisions` and `policy`. */
import { Option, type Command } from 'commander';
import { STAGES, type Stage } from '../../domain/stages/stages.ts';
import { group, leaf, type CarryOut, type Shared } from './staff.ts';

const REQUEST = 'the id of a request: <run id>.<n>; the first 6 characters of the run’s id do';
const BY = 'your login on GitHub, whose roles count; default: your user name';

export function addDecisionCommands(program: Command, carryOut: CarryOut): void {
  const decisions = group(program, 'decisions', 'what runs wait for: approvals of tool calls, and questions');
  leaf(decisions, 'list', 'list open requests')
    .option('--all', 'closed ones too')
    .action(async ({ json, data, ...options }: Shared & { all?: boolean }) =>
      carryOut({ json, data }, async (session) => (await import('./decisions.ts')).decisionsList(session, options)),
    );
  leaf(decisions, 'show', 'show a request, and exactly what will be done')
    .argument('<request>', REQUEST)
    .action(async (id: string, options: Shared) =>
      carryOut(options, async (session) => (await import('./decisions.ts')).decisionsShow(session, id)),
    );
  leaf(decisions, 'approve', 'approve a tool call, which the platform then performs')
    .argument('<request>', REQUEST)
    .option('--by <login>', BY)
    .action(async (id: string, options: Shared & { by?: string }) =>
      carryOut(options, async (session) =>
        (await import('./decisions.ts')).decide(session, 'approve', id, '', options),
      ),
    );
  for (const [verb, about] of [
    ['deny', 'deny a tool call'],
    ['answer', 'answer a question'],
  ] as const)
    leaf(decisions, verb, about)
      .argument('<request>', REQUEST)
      .argument('[text...]', verb === 'deny' ? 'the reason, which the agent reads' : 'an option, or a free answer')
      .option('--by <login>', BY)
      .action(async (id: string, text: readonly string[], options: Shared & { by?: string }) =>
        carryOut(options, async (session) =>
          (await import('./decisions.ts')).decide(session, verb, id, text.join(' '), options),
        ),
      );

  const policy = group(program, 'policy', 'which tool calls of agents need whose approval');
  leaf(policy, 'show', 'show the policy').action(async (options: Shared) =>
    carryOut(options, async (session) => (await import('./decisions.ts')).policyShow(session)),
  );
  leaf(policy, 'explain', 'say what a tool call needs, and by which rule')
    .argument('[request]', REQUEST)
    .option('--tool <tool>', 'the tool')
    .option('--action <action>', 'what it is to do: create, delete, add:run:dev; default: call')
    .addOption(new Option('--stage <stage>', 'the stage of the run').choices(STAGES.map((row) => row.stage)))
    .action(async (request: string | undefined, options: Shared & { tool?: string; action?: string; stage?: Stage }) =>
      carryOut(options, async (session) => (await import('./decisions.ts')).policyExplain(session, request, options)),
    );
}
