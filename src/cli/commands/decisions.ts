/** `decisions list|show|approve|deny|answer` and `policy show|explain`. */
import { userInfo } from 'node:os';
import type { DecisionView } from '../../api-client/api-client.ts';
import { exact } from '../../../ingress/api/messages/times.ts';
import type { Stage } from '../../domain/stages/stages.ts';
import { printJson, type Session } from '../client/session.ts';
import { CommandProblem } from '../../terminal/problems.ts';
import { printFacts, printTable } from '../../terminal/table.ts';
import { plain } from '../../terminal/terminal.ts';

interface By {
  readonly by?: string | undefined;
}

/** Lists what runs wait for. */
export async function decisionsList(session: Session, { all }: { readonly all?: boolean | undefined }): Promise<void> {
  const list = await session.api.decisions({ open: all === true ? 'false' : 'true' });
  if (session.json) return printJson(session, list);
  if (list.items.length === 0) return session.terminal.out('No run waits for a decision.');
  printTable(
    session.terminal,
    ['REQUEST', 'KIND', 'OF', 'WHO MAY DECIDE', 'UNTIL'],
    list.items.map(({ id, request, now, open }) => [
      { text: shortId(id) },
      { text: open ? request.kind : `${request.kind}, closed` },
      { text: request.call ? `${request.call.tool} (${request.call.action})` : 'the agent' },
      { text: request.kind === 'approval' ? (now?.mode ?? request.mayAnswer) : request.mayAnswer },
      { text: exact(new Date(request.deadline)) },
    ]),
  );
}

/** Shows a request: what exactly will be done, why a person is asked, and who may decide. */
export async function decisionsShow(session: Session, id: string): Promise<void> {
  const view = await session.api.decision(id);
  if (session.json) return printJson(session, view);
  const { request, open, now } = view;
  const { call, answer } = request;
  printFacts(session.terminal, [
    ['request', request.id],
    ['kind', request.kind],
    ['asks', plain(request.question)],
    ...request.options.map((option, index): [string, string] => [`option ${index + 1}`, plain(option)]),
    ...(call ? callFacts(call) : []),
    ['who may decide', now && request.kind === 'approval' ? `${now.mode}: ${now.reason}` : request.mayAnswer],
    ['until', exact(new Date(request.deadline))],
    ['state', answer ? `${answer.decision ?? 'answered'} by ${plain(answer.actor)}` : open ? 'open' : 'closed'],
  ]);
}

function callFacts({
  tool,
  action,
  summary,
  digest,
  reason,
}: NonNullable<DecisionView['request']['call']>): [string, string][] {
  return [
    ['tool', `${tool} (${action})`],
    ['arguments', plain(summary)],
    ['digest', digest],
    ['asked because', plain(reason)],
  ];
}

/** Approves, denies or answers a request. */
export async function decide(
  session: Session,
  verb: 'approve' | 'deny' | 'answer',
  id: string,
  text: string,
  { by }: By,
): Promise<void> {
  if (verb === 'answer' && text === '')
    throw new CommandProblem('Say the answer: the number of an option, or a text.', 2);
  const actor = by ?? userInfo().username;
  const decided = await session.api
    .decide(id, verb, { text, actor, surface: 'command_line' })
    .catch((error: unknown) => {
      const message = error instanceof Error ? error.message.replace(/^[a-z_]+: /, '') : String(error);
      if (!(error instanceof CommandProblem)) throw error;
      const hint = message.includes('role') || message.includes('owner') ? ' Name your login on GitHub with --by.' : '';
      throw new CommandProblem(`Request ${id}: ${message}.${by === undefined ? hint : ''}`, error.exitCode);
    });
  if (session.json) return printJson(session, decided);
  const what = { approve: 'Approved', deny: 'Denied', answer: 'Answered' }[verb];
  session.terminal.out(`${what} request ${shortId(decided.id)}; the run goes on with it.`);
}

/** Shows the policy: which calls need whose approval. */
export async function policyShow(session: Session): Promise<void> {
  const policy = await session.api.policy();
  if (session.json) return printJson(session, policy);
  printTable(
    session.terminal,
    ['RULE', 'MODE', 'TOOL', 'ACTION', 'ROLE', 'LABEL', 'RUNTIME', 'REASON'],
    policy.rules.map((rule, index) => [
      { text: String(index) },
      { text: rule.mode },
      ...([rule.tool, rule.action, rule.role, rule.label, rule.runtime] as const).map((field) => ({
        text: field ?? '',
      })),
      { text: plain(rule.reason) },
    ]),
  );
  session.terminal.out('The first rule that matches decides; what no rule names needs an owner.');
  if (policy.requesterMayDecide === true)
    session.terminal.out('The person who started a run may decide on its calls (requesterMayDecide).');
}

/** Says what the policy decides about a call, or about a request that is there. */
export async function policyExplain(
  session: Session,
  request: string | undefined,
  { tool, action, stage }: { readonly tool?: string; readonly action?: string; readonly stage?: Stage },
): Promise<void> {
  if (request !== undefined) return decisionsShow(session, request);
  if (tool === undefined || stage === undefined)
    throw new CommandProblem('Name a request, or a call by --tool and --stage.', 2);
  const explained = await session.api.explainPolicy({ tool, stage, ...(action === undefined ? {} : { action }) });
  if (session.json) return printJson(session, explained);
  const { subject, decision } = explained;
  const rule = decision.rule === null ? 'no rule matches' : `rule ${decision.rule}`;
  session.terminal.out(
    `${subject.tool} (${subject.action}) in ${subject.label}, by ${subject.role}, ${subject.runtime}: ${decision.mode} (${rule}: ${plain(decision.reason)})`,
  );
}

/** The beginning of the run's id, and the number: enough for every command. */
function shortId(id: string): string {
  return `${id.slice(0, 8)}${id.slice(id.lastIndexOf('.'))}`;
}
