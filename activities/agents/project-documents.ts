/** The documents that a repository names for its agents, read through GitHub. */
import { parse } from 'yaml';
import {
  NO_DOCUMENTS,
  projectDocuments,
  SERVICES_BYTES,
  SERVICES_FILE,
  type ProjectDocuments,
} from '../../src/domain/agent/project-documents.ts';
import type { IssueRef } from '../../src/domain/issue/facts.ts';
import type { Role } from '../../src/domain/stages/stages.ts';
import { classified } from '../failures.ts';
import type { GitHubFiles } from './prompt-task.ts';

/** `problem`: why the file was not heeded, as the end of a sentence about it. */
export interface DocumentsReading {
  readonly documents: ProjectDocuments;
  readonly problem?: string;
}

/** Reads them; a file that is broken stops no run. */
export async function readProjectDocuments(
  github: GitHubFiles,
  issue: IssueRef,
  { defaultBranch, role }: { readonly defaultBranch: string; readonly role: Role },
): Promise<DocumentsReading> {
  const limits = { ref: defaultBranch, bytes: SERVICES_BYTES };
  const file = await classified(() => github.readFile(issue, SERVICES_FILE, limits));
  if (file === null) return { documents: NO_DOCUMENTS };
  if ('problem' in file) return { documents: NO_DOCUMENTS, problem: file.problem };
  const read = documentsIn(file.text, role);
  return 'problem' in read ? { documents: NO_DOCUMENTS, problem: read.problem } : { documents: read };
}

function documentsIn(text: string, role: Role): ReturnType<typeof projectDocuments> {
  try {
    return projectDocuments(parse(text, { maxAliasCount: 10 }), role);
  } catch (error) {
    const [line = ''] = String(error instanceof Error ? error.message : error).split('\n');
    return { problem: `is no YAML: ${line.slice(0, 200)}` };
  }
}
