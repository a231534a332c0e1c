/** Files of a repository, read through GitHub without a clone. */
import type { Octokit } from '@octokit/rest';
import type { RepositoryFile } from '../../domain/agent/repository-files.ts';
import type { IssueRef } from '../../domain/issue/facts.ts';
import { isEmptyRepository, isNotFound } from './client.ts';

type RepositoryName = Pick<IssueRef, 'owner' | 'name'>;

interface Content {
  readonly type: string;
  readonly sha: string;
  readonly size: number;
  readonly encoding?: string;
  readonly content?: string;
}

export function createFiles(octokit: Octokit) {
  async function contents({ owner, name }: RepositoryName, path: string, ref: string): Promise<unknown> {
    try {
      const { data } = await octokit.rest.repos.getContent({ owner, repo: name, path, ref });
      return data;
    } catch (error) {
      if (isNotFound(error) || isEmptyRepository(error)) return undefined;
      throw error;
    }
  }

  return {
    /** The names in a folder of a branch; none if there is no such folder. GitHub lists a thousand at most. */
    async listFolder(repository: RepositoryName, folder: string, ref: string): Promise<readonly string[]> {
      const data = await contents(repository, folder, ref);
      return Array.isArray(data) ? (data as { readonly name: string }[]).map(({ name }) => name) : [];
    },

    /** A text file of a branch, of at most so many bytes; null if there is no such file. GitHub follows links within the repository. */
    async readFile(
      repository: RepositoryName,
      path: string,
      { ref, bytes }: { readonly ref: string; readonly bytes: number },
    ): Promise<RepositoryFile | null> {
      const data = await contents(repository, path, ref);
      if (data === undefined) return null;
      if (Array.isArray(data)) return { problem: 'is a folder', sha: '' };
      const { type, sha, size, encoding, content = '' } = data as Content;
      if (type !== 'file') return { problem: `is no file (${type})`, sha };
      if (size > bytes) return { problem: `has ${size} bytes, and at most ${bytes} are allowed`, sha };
      const text = decoded(Buffer.from(content, encoding === 'base64' ? 'base64' : 'utf8'));
      return text === undefined ? { problem: 'is not text in UTF-8', sha } : { text, sha };
    },
  };
}

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
