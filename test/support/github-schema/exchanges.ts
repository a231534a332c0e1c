/** Requests to GitHub and their answers, compared with GitHub's own description of them. */
import { SchemaChecker, type Fault, type Schema } from './json-schema.ts';
import { githubOperations, type Operation } from './operations.ts';

/** One request to GitHub's API and its answer. */
export interface Exchange {
  readonly method: string;
  /** The path with its query. */
  readonly url: string;
  /** Parsed; `undefined` for none. */
  readonly body: unknown;
  readonly status: number;
  /** Parsed; `undefined` for none, and {@link NOT_JSON}. */
  readonly answer: unknown;
}

/** The answer to a request for a diff or a patch: GitHub describes its JSON only. */
export const NOT_JSON = Symbol('not JSON');

/** One way in which an exchange is not as GitHub describes it. */
export interface Finding extends Fault {
  /** As `issues/get`. */
  readonly operation: string;
  readonly part: 'request' | 'answer' | 'delivery';
}

let checker: SchemaChecker | undefined;

/** Everything in an exchange that GitHub does not describe. */
export function compareExchange(exchange: Exchange): { operation: string; findings: Finding[] } {
  const operations = githubOperations();
  checker ??= new SchemaChecker(operations.components);
  const { pathname, searchParams } = new URL(exchange.url, 'http://github');
  const found = operations.find(exchange.method, pathname);
  if (!found) {
    const operation = `${exchange.method} ${pathname}`;
    return { operation, findings: [{ operation, part: 'request', at: '', problem: 'GitHub has no such operation' }] };
  }
  const { operation, values } = found;
  const as = (part: Finding['part'], faults: readonly Fault[]): Finding[] =>
    faults.map((fault) => ({ operation: operation.id, part, ...fault }));
  return {
    operation: operation.id,
    findings: [
      ...as('request', [
        ...parameterFaults(checker, operation, values, searchParams),
        ...bodyFaults(checker, operation, exchange.body),
      ]),
      ...as('answer', answerFaults(checker, operation, exchange)),
    ],
  };
}

function parameterFaults(
  check: SchemaChecker,
  { parameters }: Operation,
  values: Readonly<Record<string, string>>,
  query: URLSearchParams,
): Fault[] {
  const inQuery = parameters.filter((parameter) => parameter.in === 'query');
  const missing = inQuery.filter(({ name, required }) => required === true && !query.has(name));
  const given = [
    ...Object.entries(values).map(([name, value]) => ({ name, value, where: 'path' })),
    ...[...query].map(([name, value]) => ({ name, value, where: 'query' })),
  ];
  return [
    ...missing.map(({ name }) => ({ at: `?${name}`, problem: 'is missing' })),
    ...given.flatMap(({ name, value, where }): Fault[] => {
      const described = parameters.find((parameter) => parameter.in === where && parameter.name === name);
      const at = where === 'query' ? `?${name}` : `{${name}}`;
      if (!described) return [{ at, problem: 'is not documented' }];
      return check
        .faults(described.schema, parameterValue(described.schema, value))
        .map(({ problem }) => ({ at, problem }));
    }),
  ];
}

/** A parameter as its schema has it: addresses know only texts. */
function parameterValue({ type }: Schema, value: string): unknown {
  if ((type === 'integer' || type === 'number') && /^-?\d+$/.test(value)) return Number(value);
  if (type === 'boolean' && (value === 'true' || value === 'false')) return value === 'true';
  return value;
}

function bodyFaults(check: SchemaChecker, { body, bodyRequired }: Operation, sent: unknown): Fault[] {
  if (sent === undefined) return bodyRequired ? [{ at: '', problem: 'is missing' }] : [];
  return body ? check.faults(body, sent) : [{ at: '', problem: 'is not documented' }];
}

function answerFaults(check: SchemaChecker, { answers }: Operation, { status, answer }: Exchange): Fault[] {
  if (!answers.has(status)) return [{ at: `${status}`, problem: 'is not documented' }];
  const schema = answers.get(status);
  if (answer === NOT_JSON) return [];
  const at = status < 300 ? '' : `${status} `;
  if (answer === undefined) return schema ? [{ at, problem: 'is missing' }] : [];
  return schema ? check.faults(schema, answer).map((fault) => ({ ...fault, at: `${at}${fault.at}` })) : [];
}
