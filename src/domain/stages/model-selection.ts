/** The model and reasoning effort of an agent, and who chose them. */
import { modelChoice, reasoningChoice, type Choice } from './labels.ts';
import type { ReasoningEffort } from './settings.ts';

/** The sources of a choice, the strongest first. */
export type SelectionSource =
  | 'issue_label'
  | 'pull_request_label'
  | 'last_run_context'
  | 'project_default'
  | 'platform_default';

/** A model selection and its sources. */
export interface ModelSelection {
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
  readonly project: { readonly model: string | null; readonly reasoningEffort: ReasoningEffort | null };
  readonly platform: { readonly model: string; readonly reasoningEffort: ReasoningEffort };
}

/** Resolves the model selection, or names the labels of one group that conflict. */
export function selectModel(asked: SelectionInput): ModelSelection | { readonly conflict: readonly string[] } {
  const { last, project, platform } = asked;
  const model = resolve(asked, modelChoice, chosen(last?.model, last?.modelSource), project.model, platform.model);
  if ('conflict' in model) return model;
  const reasoning = resolve(
    asked,
    reasoningChoice,
    chosen(last?.reasoningEffort, last?.reasoningSource),
    project.reasoningEffort,
    platform.reasoningEffort,
  );
  if ('conflict' in reasoning) return reasoning;
  return {
    model: model.value,
    modelSource: model.source,
    reasoningEffort: reasoning.value,
    reasoningSource: reasoning.source,
  };
}

/** A selection from defaults is not carried over to the next run. */
function chosen<Value>(value: Value | undefined, source: SelectionSource | undefined): Value | undefined {
  return source === 'project_default' || source === 'platform_default' ? undefined : value;
}

function resolve<Value>(
  { issueLabels, pullRequestLabels }: SelectionInput,
  choiceOf: (labels: readonly string[]) => Choice<Value>,
  last: Value | undefined,
  project: Value | null,
  platform: Value,
): { readonly value: Value; readonly source: SelectionSource } | { readonly conflict: readonly string[] } {
  for (const [source, labels] of [
    ['issue_label', issueLabels],
    ['pull_request_label', pullRequestLabels],
  ] as const) {
    const choice = choiceOf(labels);
    if (choice.conflict) return { conflict: choice.conflict };
    if (choice.chosen !== undefined) return { value: choice.chosen, source };
  }
  if (last !== undefined) return { value: last, source: 'last_run_context' };
  if (project !== null) return { value: project, source: 'project_default' };
  return { value: platform, source: 'platform_default' };
}
