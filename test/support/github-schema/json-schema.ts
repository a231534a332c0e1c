/** Values against schemas of OpenAPI 3.0: what is wrong in them, and what they have that their schema does not name. */
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { fullFormats } from 'ajv-formats/dist/formats.js';

/** A schema of OpenAPI 3.0, as far as GitHub's description uses it. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly nullable?: boolean;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly allOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly [keyword: string]: unknown;
}

/** What is wrong at one place of a value: `.labels[].name` and `is missing`. */
export interface Fault {
  readonly at: string;
  readonly problem: string;
}

const COMPONENT = '#/components/schemas/';

/** Compiles each schema when it is first needed, with the components that it refers to. */
export class SchemaChecker {
  readonly #components: Readonly<Record<string, Schema>>;
  readonly #ajv = new Ajv({ strict: false, allErrors: true, inlineRefs: false, formats: fullFormats, logger: false });
  readonly #compiled = new Map<Schema, ValidateFunction>();
  readonly #added = new Set<string>();

  constructor(components: Readonly<Record<string, Schema>>) {
    this.#components = components;
  }

  faults(schema: Schema, value: unknown): Fault[] {
    const validate = this.#compiled.get(schema) ?? this.#ajv.compile(this.#converted(schema) as object);
    this.#compiled.set(schema, validate);
    validate(value);
    const faults = [...faultsIn(validate.errors ?? []), ...this.#unnamed([schema], value, '')];
    return [...new Map(faults.map((fault) => [`${fault.at} ${fault.problem}`, fault])).values()];
  }

  /** The same as JSON Schema. */
  #converted(node: unknown): unknown {
    if (Array.isArray(node)) return node.map((entry) => this.#converted(entry));
    if (typeof node !== 'object' || node === null) return node;
    const { $ref, nullable, example: _, examples: __, ...rest } = node as Schema;
    if ($ref !== undefined) return { $ref: this.#component($ref) };
    const converted = Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, this.#converted(value)]));
    if (nullable !== true) return converted;
    if (typeof rest.type !== 'string') return { anyOf: [{ type: 'null' }, converted] };
    const { enum: values } = rest;
    return { ...converted, type: [rest.type, 'null'], ...(Array.isArray(values) && { enum: [...values, null] }) };
  }

  /** The name by which Ajv knows a component, with all that it refers to. */
  #component(ref: string): string {
    const name = ref.slice(COMPONENT.length);
    if (!this.#added.has(name)) {
      this.#added.add(name);
      this.#ajv.addSchema(this.#converted(this.#components[name]) as object, name);
    }
    return name;
  }

  /** Properties that none of the schemas names; one without any properties allows all. */
  #unnamed(schemas: readonly Schema[], value: unknown, at: string): Fault[] {
    const known = schemas.flatMap((schema) => this.#forms(schema));
    if (Array.isArray(value)) {
      const items = known.flatMap((schema): Schema[] => (schema.items ? [schema.items] : []));
      return items.length === 0 ? [] : value.flatMap((entry: unknown) => this.#unnamed(items, entry, `${at}[]`));
    }
    if (typeof value !== 'object' || value === null) return [];
    const objects = known.filter((schema) => schema.type === undefined || schema.type === 'object');
    if (objects.some(({ properties, additionalProperties }) => !properties || additionalProperties)) return [];
    return Object.entries(value).flatMap(([name, property]) => {
      const named = objects.flatMap(({ properties = {} }): Schema[] => (properties[name] ? [properties[name]] : []));
      const below = `${at}.${name}`;
      return named.length === 0 ? [{ at: below, problem: 'is not documented' }] : this.#unnamed(named, property, below);
    });
  }

  /** A schema without references and combinations: all that it may be. */
  #forms(schema: Schema): Schema[] {
    if (schema.$ref !== undefined) {
      const component = this.#components[schema.$ref.slice(COMPONENT.length)];
      return component ? this.#forms(component) : [];
    }
    const { allOf = [], anyOf = [], oneOf = [] } = schema;
    const combined = [...allOf, ...anyOf, ...oneOf].flatMap((one) => this.#forms(one));
    return combined.length === 0 || schema.properties ? [schema, ...combined] : combined;
  }
}

/** Of a choice of forms only that none fits is told: why each of them does not is no news. */
export function faultsIn(errors: readonly ErrorObject[]): Fault[] {
  return errors.flatMap(({ instancePath, schemaPath, keyword, params, message = '' }) => {
    if (/\/(anyOf|oneOf)\/\d+\//.test(schemaPath)) return [];
    const at = placeOf(instancePath);
    if (keyword === 'required') return [{ at: `${at}.${String(params['missingProperty'])}`, problem: 'is missing' }];
    if (keyword === 'additionalProperties')
      return [{ at: `${at}.${String(params['additionalProperty'])}`, problem: 'is not documented' }];
    if (keyword === 'anyOf' || keyword === 'oneOf') return [{ at, problem: 'is of no documented form' }];
    return [{ at, problem: message }];
  });
}

/** `/labels/0/name` as `.labels[].name`. */
function placeOf(pointer: string): string {
  return pointer.replaceAll(/\/\d+(?=\/|$)/g, '[]').replaceAll('/', '.');
}
