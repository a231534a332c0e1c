/** The program, model and reasoning effort of an agent, and who chose them. */
import { CLAUDE_MODEL, cliOfModel, type AgentCliName } from './clis.ts';
import { cliChoice, modelChoice, reasoningChoice, type Choice } from './labels.ts';
import type { ReasoningEffort, RunSettings } from './settings.ts';

/** The sources of a choice, the strongest first. */
export type SelectionSource =
  | 'issue_label'
  | 'pull_request_label'
  | 'last_run_context'
  | 'project_default'
  | 'platform_default';

/** A model selection and its sources. */
export interface ModelSelection {
  /** Missing in one of a version before 0.5.0: Codex. */
  readonly cli?: AgentCliName;
  readonly cliSource?: SelectionSource;
  readonly model: string;
  readonly modelSource: SelectionSource;
  readonly reasoningEffort: ReasoningEffort;
  readonly reasoningSource: SelectionSource;
}

/** What the selection depends on, read just before a launch. */
export interface SelectionInput {
  readonly issueLabels: readonly string[];
  /** Empty without a pull request. */
  readonly pullRequestLabels: readonly string[];
  /** The selection of the run whose conversation or branch this one continues, if labels chose it. */
  readonly last: Partial<ModelSelection> | null;
  readonly project: {
    readonly cli?: AgentCliName | null;
    /** Meant for the project's program, or for the platform's if the project names none. */
    readonly model: string | null;
    readonly reasoningEffort: ReasoningEffort | null;
  };
  readonly platform: Pick<RunSettings, 'cli' | 'model' | 'claudeModel' | 'reasoningEffort'>;
}

interface Conflict {
  readonly conflict: readonly string[];
}
interface Resolved<Value> {
  readonly value: Value;
  readonly source: SelectionSource;
}

/** Resolves the model selection, or names the labels that conflict. */
export function selectModel(asked: SelectionInput): ModelSelection | Conflict {
  const { last, project, platform } = asked;
  const byLabel = fromLabels(asked, modelChoice);
  if (byLabel && 'conflict' in byLabel) return byLabel;
  const cli = selectCli(asked, byLabel);
  if ('conflict' in cli) return cli;
  const forThis = <Value>(other: AgentCliName, value: Value): Value | undefined =>
    other === cli.value ? value : undefined;
  const model =
    byLabel ??
    fromDefaults(
      forThis(last?.cli ?? 'codex', chosen(last?.model, last?.modelSource)),
      forThis(project.cli ?? platform.cli ?? 'codex', project.model) ?? null,
      defaultModel({ ...platform, cli: cli.value }),
    );
  const reasoning =
    fromLabels(asked, reasoningChoice) ??
    fromDefaults(
      chosen(last?.reasoningEffort, last?.reasoningSource),
      project.reasoningEffort,
      platform.reasoningEffort,
    );
  if ('conflict' in reasoning) return reasoning;
  return {
    cli: cli.value,
    cliSource: cli.source,
    model: model.value,
    modelSource: model.source,
    reasoningEffort: reasoning.value,
    reasoningSource: reasoning.source,
  };
}

/** The model of an agent for which nobody has chosen one. */
export function defaultModel({
  cli = 'codex',
  model,
  claudeModel = CLAUDE_MODEL,
}: Pick<RunSettings, 'cli' | 'model' | 'claudeModel'>): string {
  return cli === 'claude' ? claudeModel : model;
}

/**
 * The program. A label for a model chooses the program as well, unless a label for a program contradicts it; a project's own program
 * works with any model.
 */
function selectCli(asked: SelectionInput, model: Resolved<string> | undefined): Resolved<AgentCliName> | Conflict {
  const { last, project, platform } = asked;
  const byLabel = fromLabels(asked, cliChoice);
  const cli = byLabel ?? fromDefaults(chosen(last?.cli, last?.cliSource), project.cli ?? null, platform.cli ?? 'codex');
  if ('conflict' in cli) return cli;
  if (!model || cli.value === 'command' || cliOfModel(model.value) === cli.value) return cli;
  if (byLabel) return { conflict: [`[ai-agent-${cli.value}]`, `[ai-model-${model.value}]`] };
  return { value: cliOfModel(model.value), source: model.source };
}

/** A selection from defaults is not carried over to the next run. */
function chosen<Value>(value: Value | undefined, source: SelectionSource | undefined): Value | undefined {
  return source === 'project_default' || source === 'platform_default' ? undefined : value;
}

/** What labels choose; undefined if they choose nothing. */
function fromLabels<Value>(
  { issueLabels, pullRequestLabels }: SelectionInput,
  choiceOf: (labels: readonly string[]) => Choice<Value>,
): Resolved<Value> | Conflict | undefined {
  for (const [source, labels] of [
    ['issue_label', issueLabels],
    ['pull_request_label', pullRequestLabels],
  ] as const) {
    const choice = choiceOf(labels);
    if (choice.conflict) return { conflict: choice.conflict };
    if (choice.chosen !== undefined) return { value: choice.chosen, source };
  }
  return undefined;
}

function fromDefaults<Value>(last: Value | undefined, project: Value | null, platform: Value): Resolved<Value> {
  if (last !== undefined) return { value: last, source: 'last_run_context' };
  if (project !== null) return { value: project, source: 'project_default' };
  return { value: platform, source: 'platform_default' };
}
