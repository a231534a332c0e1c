/** Updates the Temporal namespace of a development server to temporal-dev.yaml. */
import { Connection } from '@temporalio/client';
import { msToTs, optionalTsToMs } from '../../temporal/times.ts';
import { SEARCH_ATTRIBUTE_TYPES, type SearchAttributeType, type TemporalDev } from './dev-settings.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/** Sets retention and search attributes and resolves with true; safe to repeat. Rejects while Temporal is unreachable. */
export async function convergeNamespace(address: string, settings: TemporalDev): Promise<boolean> {
  const connection = await Connection.connect({ address, connectTimeout: 2000 });
  try {
    await convergeRetention(connection, settings);
    await addSearchAttributes(connection, settings);
    return true;
  } finally {
    await connection.close();
  }
}

async function convergeRetention({ workflowService }: Connection, { namespace }: TemporalDev): Promise<void> {
  const { config } = await workflowService.describeNamespace({ namespace: namespace.name });
  const wanted = namespace.retentionDays * DAY_MS;
  if (optionalTsToMs(config?.workflowExecutionRetentionTtl) === wanted) return;
  await workflowService.updateNamespace({
    namespace: namespace.name,
    config: { workflowExecutionRetentionTtl: msToTs(wanted) },
  });
}

async function addSearchAttributes(
  { operatorService }: Connection,
  { namespace: { name }, searchAttributes }: TemporalDev,
): Promise<void> {
  const { customAttributes } = await operatorService.listSearchAttributes({ namespace: name });
  const missing: Record<string, number> = {};
  for (const [attribute, type] of Object.entries(searchAttributes)) {
    const present: number | undefined = customAttributes[attribute];
    if (present === undefined) missing[attribute] = indexedValueType(type);
    else if (present !== indexedValueType(type))
      throw new Error(`The search attribute ${attribute} exists with another type than ${type}`);
  }
  if (Object.keys(missing).length > 0)
    await operatorService.addSearchAttributes({ namespace: name, searchAttributes: missing });
}

/** The value of Temporal's enum IndexedValueType, which counts from 1 in this order. */
export function indexedValueType(type: SearchAttributeType): number {
  return SEARCH_ATTRIBUTE_TYPES.indexOf(type) + 1;
}
