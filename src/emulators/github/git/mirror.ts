/** Keeps emulate's git rows and the bare repositories in step, object by object and ref by ref. */
import { GitHubError } from '../errors.ts';
import type { BlobRow, CommitRow, RefRow, RepoRow, Row, Rows, TreeRow } from '../rows.ts';
import type { RowChange } from '../store/collection.ts';
import {
  allObjects,
  bareDirectory,
  initBare,
  listRefs,
  moveBare,
  newObjects,
  removeBare,
  setHead,
  updateRefs,
  type RefChange,
} from './bare.ts';
import { GitImport } from './import.ts';
import { encodeBlob, encodeCommit, encodeTree, writeLooseObject, type ObjectType } from './objects.ts';

type Step = () => Promise<void>;

const HEADS = 'refs/heads/';

/** Copies changes both ways: `flush` from emulate to git, `pull` from git to emulate. */
export class GitMirror {
  readonly #dataDir: string;
  readonly #rows: Rows;
  readonly #import: GitImport;
  #steps: Step[] = [];
  #refs: RefChange[] = [];
  #importing = false;

  constructor(dataDir: string, rows: Rows) {
    this.#dataDir = dataDir;
    this.#rows = rows;
    this.#import = new GitImport(rows);
  }

  directory(repo: RepoRow): string {
    return bareDirectory(this.#dataDir, repo.full_name);
  }

  get dirty(): boolean {
    return this.#steps.length > 0 || this.#refs.length > 0;
  }

  /** Queues the git operations that a change of emulate's store requires. */
  observe(change: RowChange): void {
    if (this.#importing) return;
    if (change.collection === 'github.repos') this.#observeRepo(change.before as RepoRow, change.after as RepoRow);
    if (change.collection === 'github.refs') this.#observeRef(change.before as RefRow, change.after as RefRow);
    if (change.before || !change.after) return;
    if (change.collection === 'github.blobs')
      this.#observeObject('blob', change.after, encodeBlob(change.after as BlobRow));
    if (change.collection === 'github.trees')
      this.#observeObject('tree', change.after, encodeTree(change.after as TreeRow));
    if (change.collection === 'github.commits')
      this.#observeObject('commit', change.after, encodeCommit(change.after as CommitRow));
  }

  /** Writes emulate's changes to the bare repositories and returns the refs that moved. */
  async flush(): Promise<RefChange[]> {
    const [steps, changes] = [this.#steps, this.#refs.filter(({ before, after }) => before !== after)];
    this.#steps = [];
    this.#refs = [];
    for (const step of steps) await step();
    for (const [repoId, moved] of Map.groupBy(changes, (change) => change.repoId)) {
      const repo = this.#rows.repos.get(repoId);
      if (repo) await this.#moveRefs(repo, moved);
    }
    return changes;
  }

  /** Copies what was pushed to a bare repository into emulate's store and returns the refs that moved. */
  async pull(repo: RepoRow): Promise<RefChange[]> {
    const directory = this.directory(repo);
    const refs = await listRefs(directory);
    const known = new Map(this.#rows.refs.findBy('repo_id', repo.id).map((row) => [row.ref, row.sha]));
    const moved = [...new Set([...refs.keys(), ...known.keys()])]
      .map((ref) => ({ repoId: repo.id, ref, before: known.get(ref) ?? null, after: refs.get(ref) ?? null }))
      .filter(({ before, after }) => before !== after);
    const tips = moved.flatMap(({ after }) => after ?? []);
    const objects = tips.length > 0 ? await newObjects(directory, tips, this.#presentCommits(repo, known)) : [];
    this.#silently(() => {
      this.#import.objects(repo, objects);
      for (const change of moved) this.#import.ref(repo, change.ref, change.after);
    });
    await this.#followFirstPush(repo, refs, known);
    if (moved.length > 0) this.#rows.repos.update(repo.id, { pushed_at: new Date().toISOString() });
    return moved;
  }

  /** Reads all objects of all repositories and returns the refs that had moved without the store's knowledge. */
  async load(): Promise<RefChange[]> {
    const moved: RefChange[] = [];
    for (const repo of this.#rows.repos.all()) {
      await initBare(this.directory(repo), repo.default_branch);
      const objects = await allObjects(this.directory(repo));
      this.#silently(() => this.#import.objects(repo, objects));
      moved.push(...(await this.pull(repo)));
    }
    return moved;
  }

  /** Moves refs in git. When git rejects a move, the store is reset to git's value. */
  async #moveRefs(repo: RepoRow, moved: readonly RefChange[]): Promise<void> {
    try {
      await updateRefs(this.directory(repo), moved);
    } catch (error) {
      await this.pull(repo);
      throw new GitHubError(422, `Reference update failed: ${String(error)}`);
    }
  }

  #observeRepo(before: RepoRow | undefined, after: RepoRow | undefined): void {
    if (!after) {
      if (before) this.#steps.push(() => removeBare(this.directory(before)));
      return;
    }
    const directory = this.directory(after);
    if (!before) this.#steps.push(() => initBare(directory, after.default_branch));
    else if (before.full_name !== after.full_name) this.#steps.push(() => moveBare(this.directory(before), directory));
    if (before && before.default_branch !== after.default_branch)
      this.#steps.push(() => setHead(directory, after.default_branch));
  }

  #observeRef(before: RefRow | undefined, after: RefRow | undefined): void {
    const row = after ?? before;
    if (!row) return;
    this.#refs.push({ repoId: row.repo_id, ref: row.ref, before: before?.sha ?? null, after: after?.sha ?? null });
  }

  #observeObject(type: ObjectType, row: Row, content: Buffer): void {
    const { repo_id, sha } = row as CommitRow | TreeRow | BlobRow;
    this.#steps.push(async () => {
      const repo = this.#rows.repos.get(repo_id);
      if (repo) await writeLooseObject(this.directory(repo), { sha, type, content });
    });
  }

  /** Makes the first pushed branch the default one if the configured one is not among them, as GitHub does. */
  async #followFirstPush(repo: RepoRow, refs: Map<string, string>, known: Map<string, string>): Promise<void> {
    const isHead = (ref: string): boolean => ref.startsWith(HEADS);
    if ([...known.keys()].some(isHead) || refs.has(HEADS + repo.default_branch)) return;
    const first = refs.has(`${HEADS}main`) ? `${HEADS}main` : [...refs.keys()].find(isHead);
    if (!first) return;
    const branch = first.slice(HEADS.length);
    this.#silently(() => this.#rows.repos.update(repo.id, { default_branch: branch }));
    await setHead(this.directory(repo), branch);
  }

  #presentCommits(repo: RepoRow, known: Map<string, string>): string[] {
    return [...new Set(known.values())].filter((sha) =>
      this.#rows.commits.findBy('sha', sha).some((row) => row.repo_id === repo.id),
    );
  }

  #silently(change: () => void): void {
    this.#importing = true;
    try {
      change();
    } finally {
      this.#importing = false;
    }
  }
}
