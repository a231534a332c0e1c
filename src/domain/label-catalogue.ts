/** The labels that a bound repository gets, so that people can pick them (requirements.md 2.6). */
import { STAGES, STATE_IN_REVIEW, triggerLabel } from './stages.ts';

export interface LabelDefinition {
  readonly name: string;
  /** Six hexadecimal digits. */
  readonly color: string;
  readonly description: string;
}

/** Trigger labels of the stages that can run, and the states that the platform sets. */
export function labelCatalogue(): LabelDefinition[] {
  const triggers = STAGES.filter(({ launchable }) => launchable).flatMap(({ stage, revisable }) => [
    {
      name: triggerLabel({ stage, kind: 'work' }),
      color: '1f6feb',
      description: `Start an agent for the stage ${stage}`,
    },
    ...(revisable
      ? [
          {
            name: triggerLabel({ stage, kind: 'revise' }),
            color: '8957e5',
            description: `Have the ${stage} agent work in what the review asks for`,
          },
        ]
      : []),
  ]);
  return [...triggers, { name: STATE_IN_REVIEW, color: 'd29922', description: "An agent's work waits for a person" }];
}
