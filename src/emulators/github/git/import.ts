/** Imports git objects and refs into emulate's store. */
import type { RepoRow, Rows, TreeEntry } from '../rows.ts';
import { decodeBlob, decodeCommit, decodeTag, decodeTree, type GitObject } from './objects.ts';

const HEADS = 'refs/heads/';

/** Writes git's objects and refs to the rows that emulate reads. */
export class GitImport {
  readonly #rows: Rows;

  constructor(rows: Rows) {
    this.#rows = rows;
  }

  /** Adds missing objects: blobs before the trees that list their sizes, old commits first. */
  objects(repo: RepoRow, objects: readonly GitObject[]): void {
    const of = (type: GitObject['type']): GitObject[] => objects.filter((object) => object.type === type);
    for (const { sha, content } of of('blob')) {
      if (this.#has('blobs', repo, sha)) continue;
      this.#rows.blobs.insert({ repo_id: repo.id, sha, node_id: nodeId('Blob', sha), ...decodeBlob(content) });
    }
    for (const { sha, content } of of('tree')) {
      if (this.#has('trees', repo, sha)) continue;
      const tree = decodeTree(content).map((entry) => this.#sized(repo, entry));
      this.#rows.trees.insert({ repo_id: repo.id, sha, node_id: nodeId('Tree', sha), tree, truncated: false });
    }
    for (const { sha, content } of of('commit').toReversed()) {
      if (this.#has('commits', repo, sha)) continue;
      this.#rows.commits.insert({
        repo_id: repo.id,
        sha,
        node_id: nodeId('Commit', sha),
        user_id: null,
        ...decodeCommit(content),
      });
    }
    for (const { sha, content } of of('tag')) {
      if (this.#rows.tags.findBy('repo_id', repo.id).some((row) => row.sha === sha)) continue;
      this.#rows.tags.insert({ repo_id: repo.id, sha, node_id: nodeId('Tag', sha), ...decodeTag(content) });
    }
  }

  /** Moves, adds or (with `null`) removes a ref and its branch. */
  ref(repo: RepoRow, ref: string, sha: string | null): void {
    const row = this.#rows.refs.findBy('repo_id', repo.id).find((candidate) => candidate.ref === ref);
    if (sha === null) {
      if (row) this.#rows.refs.delete(row.id);
    } else if (row) this.#rows.refs.update(row.id, { sha });
    else this.#rows.refs.insert({ repo_id: repo.id, ref, sha, node_id: nodeId('Ref', ref) });
    if (ref.startsWith(HEADS)) this.#branch(repo, ref.slice(HEADS.length), sha);
  }

  #branch(repo: RepoRow, name: string, sha: string | null): void {
    const row = this.#rows.branches.findBy('repo_id', repo.id).find((candidate) => candidate.name === name);
    if (sha === null) {
      if (row) this.#rows.branches.delete(row.id);
    } else if (row) this.#rows.branches.update(row.id, { sha });
    else this.#rows.branches.insert({ repo_id: repo.id, name, sha, protected: false });
  }

  #has(collection: 'blobs' | 'trees' | 'commits', repo: RepoRow, sha: string): boolean {
    return this.#rows[collection].findBy('sha', sha).some((row) => row.repo_id === repo.id);
  }

  #sized(repo: RepoRow, entry: TreeEntry): TreeEntry {
    if (entry.type !== 'blob') return entry;
    const blob = this.#rows.blobs.findBy('sha', entry.sha).find((row) => row.repo_id === repo.id);
    return blob ? { ...entry, size: blob.size } : entry;
  }
}

function nodeId(type: string, key: string): string {
  return Buffer.from(`0:${type}${key}`).toString('base64url');
}
