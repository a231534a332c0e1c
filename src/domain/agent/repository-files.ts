/** A file of a repository, read without a clone. `sha`: the id of its blob. `problem`: why its text is not given, as the end of a sentence about the file. */
export type RepositoryFile =
  | { readonly text: string; readonly sha: string }
  | { readonly problem: string; readonly sha: string };
