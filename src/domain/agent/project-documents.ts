/** The documents that a project names for its agents, in `spec.projectDocs` of `services.yaml`. Only their paths reach a prompt. Pure. */
import { withoutInvisible } from '../invisible.ts';
import { ROLES, type Role } from '../stages/stages.ts';

export const SERVICES_FILE = 'services.yaml';

/** Bytes of the file that are read. */
export const SERVICES_BYTES = 262_144;

/** Documents that a prompt names. */
export const MOST_DOCUMENTS = 16;

const PATH_CHARACTERS = 300;
const DESCRIPTION_CHARACTERS = 200;

export interface ProjectDocument {
  /** From the root of the repository. */
  readonly path: string;
  readonly description: string;
  /** May be missing in the repository. */
  readonly optional: boolean;
}

/** The documents for one role: those that a prompt names, and how many there are. */
export interface ProjectDocuments {
  readonly shown: readonly ProjectDocument[];
  readonly total: number;
}

export const NO_DOCUMENTS: ProjectDocuments = { shown: [], total: 0 };

/** Why the documents of a file are not named, as the end of a sentence about the file. */
export interface DocumentsProblem {
  readonly problem: string;
}

/** The documents for a role, of the parsed file; all or none, so that a mistake in the file is seen. */
export function projectDocuments(file: unknown, role: Role): ProjectDocuments | DocumentsProblem {
  const spec = isFields(file) ? (file['spec'] ?? {}) : undefined;
  if (!isFields(spec)) return { problem: 'is no object with an object spec' };
  const listed = spec['projectDocs'] ?? [];
  if (!Array.isArray(listed)) return { problem: 'has no list at spec.projectDocs' };
  const documents: ProjectDocument[] = [];
  for (const [index, entry] of listed.entries()) {
    const read = documentOf(entry);
    if (typeof read === 'string') return { problem: `${read} (spec.projectDocs[${index}])` };
    if (read.roles.length === 0 || read.roles.includes(role)) documents.push(read.document);
  }
  return { shown: documents.slice(0, MOST_DOCUMENTS), total: documents.length };
}

function documentOf(entry: unknown): { document: ProjectDocument; roles: readonly string[] } | string {
  if (!isFields(entry)) return 'names a document that is no object';
  const { path, description = '', roles = [], optional = false } = entry;
  if (typeof path !== 'string') return 'names a document without a path';
  if (!isInside(path)) return 'names a path that is not one inside of the repository';
  if (typeof description !== 'string') return 'has a description that is no text';
  if (typeof optional !== 'boolean') return 'has “optional” that is neither true nor false';
  if (!Array.isArray(roles) || roles.some((role) => !ROLES.some((known) => known.role === role)))
    return `has roles that are not all of ${ROLES.map(({ role }) => role).join(', ')}`;
  const said = withoutInvisible(description).text.replaceAll(/\s+/g, ' ').trim();
  return {
    document: { path, description: said.slice(0, DESCRIPTION_CHARACTERS).toWellFormed(), optional },
    roles: roles as string[],
  };
}

/** A path of plain characters from the root of the repository, without a way out of it or into `.git`. */
function isInside(path: string): boolean {
  if (path === '' || path.length > PATH_CHARACTERS || !/^[\p{L}\p{N}\p{M}._ /()@+,=-]+$/u.test(path)) return false;
  return path.split('/').every((step) => step !== '' && step !== '.' && step !== '..' && !/^\.git$/i.test(step));
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
