/** The operations of GitHub's REST API, from GitHub's own description of it (`@octokit/openapi`). */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Schema } from './json-schema.ts';

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required?: boolean;
  readonly schema: Schema;
  readonly 'x-multi-segment'?: boolean;
}

interface Content {
  readonly content?: Readonly<Record<string, { readonly schema?: Schema }>>;
}

interface Description {
  readonly operationId: string;
  readonly parameters?: readonly (Parameter | { readonly $ref: string })[];
  readonly requestBody?: Content & { readonly required?: boolean };
  readonly responses: Readonly<Record<string, Content | { readonly $ref: string }>>;
}

/** One operation, as `issues/get`. Schemas refer to the components of {@link githubOperations}. */
export interface Operation {
  readonly id: string;
  readonly parameters: readonly Parameter[];
  readonly body: Schema | undefined;
  readonly bodyRequired: boolean;
  /** By status; `undefined` for an answer without a body. */
  readonly answers: ReadonlyMap<number, Schema | undefined>;
}

interface Route {
  readonly method: string;
  readonly path: RegExp;
  readonly literal: number;
  readonly operation: Operation;
}

export interface Operations {
  readonly components: Readonly<Record<string, Schema>>;
  /** The operation of a request and the values in its path; undefined when GitHub has none. */
  find(method: string, path: string): { operation: Operation; values: Readonly<Record<string, string>> } | undefined;
}

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Description>>>>;
  readonly components: Readonly<Record<'schemas' | 'parameters' | 'responses', Readonly<Record<string, unknown>>>>;
}

let loaded: Operations | undefined;

/** Read once in a process: 13 MB. */
export function githubOperations(): Operations {
  loaded ??= read();
  return loaded;
}

function read(): Operations {
  const file = createRequire(import.meta.url).resolve('@octokit/openapi/generated/api.github.com.json');
  const { paths, components } = JSON.parse(readFileSync(file, 'utf8')) as OpenApi;
  const resolved = <Found extends object>(entry: Found | { readonly $ref: string }): Found => {
    if (!('$ref' in entry)) return entry;
    const [kind, name] = entry.$ref.split('/').slice(-2);
    return components[kind as 'parameters'][name ?? ''] as Found;
  };
  const operationOf = ({ operationId, parameters = [], requestBody, responses }: Description): Operation => ({
    id: operationId,
    parameters: parameters.map((parameter) => resolved(parameter)),
    body: jsonOf(requestBody),
    bodyRequired: requestBody?.required ?? false,
    answers: new Map(Object.entries(responses).map(([status, answer]) => [Number(status), jsonOf(resolved(answer))])),
  });
  const routes = Object.entries(paths).flatMap(([template, methods]) =>
    Object.entries(methods).map(([method, description]): Route => {
      const operation = operationOf(description);
      return { method: method.toUpperCase(), ...pathOf(template, operation), operation };
    }),
  );
  return {
    components: components.schemas as Readonly<Record<string, Schema>>,
    find(method, path) {
      const fitting = routes.filter((route) => route.method === method && route.path.test(path));
      const [best] = fitting.toSorted((one, other) => other.literal - one.literal);
      if (!best) return undefined;
      const values = Object.entries(best.path.exec(path)?.groups ?? {});
      return {
        operation: best.operation,
        values: Object.fromEntries(values.map(([name, value]) => [name, decodeURIComponent(value)])),
      };
    },
  };
}

function jsonOf(content: Content | undefined): Schema | undefined {
  return content?.content?.['application/json']?.schema ?? content?.content?.['application/scim+json']?.schema;
}

/** A template as `/repos/{owner}/{repo}` as an expression, and how many of its segments are fixed words. */
function pathOf(template: string, { parameters }: Operation): Pick<Route, 'path' | 'literal'> {
  const segments = template.split('/').slice(1);
  const source = segments.map((segment) =>
    segment.replaceAll(/[.+?()[\]]/g, String.raw`\$&`).replaceAll(/\{(\w+)\}/g, (_match, name: string) => {
      const whole = parameters.find((parameter) => parameter.name === name)?.['x-multi-segment'];
      return `(?<${name}>${whole ? '.+' : '[^/]+'})`;
    }),
  );
  const literal = segments.filter((segment) => !segment.includes('{')).length;
  return { path: new RegExp(`^/${source.join('/')}$`), literal };
}
