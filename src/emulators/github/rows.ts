/** The rows of emulate's GitHub store, as far as the emulator reads or writes them. */
import type { RowCollection } from './store/collection.ts';

/** Fields of every row of the store. */
export interface Row {
  id: number;
  created_at: string;
  updated_at: string;
}

export interface UserRow extends Row {
  login: string;
  node_id: string;
  type: 'User' | 'Bot';
  name: string | null;
  email: string | null;
}

export interface RepoRow extends Row {
  name: string;
  full_name: string;
  owner_id: number;
  owner_type: 'User' | 'Organization';
  private: boolean;
  default_branch: string;
  description: string | null;
  homepage: string | null;
  pushed_at: string | null;
  open_issues_count: number;
  has_issues: boolean;
  archived: boolean;
  allow_rebase_merge: boolean;
  allow_squash_merge: boolean;
  allow_merge_commit: boolean;
  delete_branch_on_merge: boolean;
}

/** A former name of a repository, under which GitHub redirects to it. */
export interface RedirectRow extends Row {
  from: string;
  repo_id: number;
}

interface CollaboratorRow extends Row {
  repo_id: number;
  user_id: number;
  permission: 'pull' | 'triage' | 'push' | 'maintain' | 'admin';
}

export interface IssueRow extends Row {
  node_id: string;
  number: number;
  repo_id: number;
  title: string;
  body: string | null;
  state: 'open' | 'closed';
  state_reason: string | null;
  locked: boolean;
  active_lock_reason: string | null;
  user_id: number;
  assignee_ids: number[];
  label_ids: number[];
  milestone_id: number | null;
  comments: number;
  closed_at: string | null;
  closed_by_id: number | null;
  is_pull_request: boolean;
  /** When its text and its title were last edited; missing: never. */
  text_edited_at?: string;
  title_edited_at?: string;
}

export interface PullRow extends Row {
  node_id: string;
  number: number;
  repo_id: number;
  title: string;
  body: string | null;
  state: 'open' | 'closed';
  locked: boolean;
  user_id: number;
  assignee_ids: number[];
  label_ids: number[];
  milestone_id: number | null;
  head_ref: string;
  head_sha: string;
  head_repo_id: number;
  base_ref: string;
  base_sha: string;
  base_repo_id: number;
  merged: boolean;
  merged_at: string | null;
  merged_by_id: number | null;
  merge_commit_sha: string | null;
  mergeable: boolean | null;
  mergeable_state: string;
  comments: number;
  review_comments: number;
  commits: number;
  additions: number;
  deletions: number;
  changed_files: number;
  draft: boolean;
  requested_reviewer_ids: number[];
  requested_team_ids: number[];
  closed_at: string | null;
  auto_merge: null;
}

export interface LabelRow extends Row {
  repo_id: number;
  name: string;
  color: string;
}

export interface CommentRow extends Row {
  node_id: string;
  repo_id: number;
  issue_number: number | null;
  pull_number: number | null;
  commit_sha: string | null;
  body: string;
  user_id: number;
  in_reply_to_id: number | null;
  path: string | null;
  position: number | null;
  line: number | null;
  side: 'LEFT' | 'RIGHT' | null;
  subject_type: 'line' | 'file' | null;
  comment_type: 'issue' | 'review' | 'commit';
  review_id: number | null;
  /** The first line of a range, and its side; the emulator's own. */
  start_line?: number | null;
  start_side?: 'LEFT' | 'RIGHT' | null;
  /** Of the comment that began a thread: whether the thread is resolved; the emulator's own. */
  resolved?: boolean;
}

export interface ReviewRow extends Row {
  node_id: string;
  repo_id: number;
  pull_number: number;
  user_id: number;
  body: string | null;
  state: string;
  commit_id: string;
  submitted_at: string | null;
}

export interface IssueEventRow extends Row {
  node_id: string;
  repo_id: number;
  issue_number: number;
  event: string;
  actor_id: number;
  commit_id: string | null;
  commit_url: string | null;
  label_name: string | null;
  assignee_id: number | null;
  milestone_title: string | null;
  rename: unknown;
}

interface BranchRow extends Row {
  repo_id: number;
  name: string;
  sha: string;
  protected: boolean;
}

export interface RefRow extends Row {
  repo_id: number;
  ref: string;
  sha: string;
  node_id: string;
}

export interface CommitRow extends Row {
  repo_id: number;
  sha: string;
  node_id: string;
  message: string;
  author_name: string;
  author_email: string;
  author_date: string;
  committer_name: string;
  committer_email: string;
  committer_date: string;
  tree_sha: string;
  parent_shas: string[];
  user_id: number | null;
}

export interface TreeEntry {
  path: string;
  mode: string;
  type: 'blob' | 'tree' | 'commit';
  sha: string;
  size?: number;
}

export interface TreeRow extends Row {
  repo_id: number;
  sha: string;
  node_id: string;
  tree: TreeEntry[];
  truncated: boolean;
}

export interface BlobRow extends Row {
  repo_id: number;
  sha: string;
  node_id: string;
  content: string;
  encoding: 'utf-8' | 'base64';
  size: number;
}

export interface TagRow extends Row {
  repo_id: number;
  tag: string;
  sha: string;
  node_id: string;
  message: string;
  tagger_name: string;
  tagger_email: string;
  tagger_date: string;
  object_type: string;
  object_sha: string;
}

export interface HookRow extends Row {
  repo_id: number | null;
  org_id: number | null;
  name: string;
  active: boolean;
  events: string[];
  config: { url: string; content_type: string; secret?: string; insecure_ssl: string };
  last_response: { code: number | null; status: string; message: string | null };
}

export interface ReactionRow extends Row {
  repo_id: number;
  subject: 'issue' | 'issue_comment' | 'pull_comment';
  subject_id: number;
  user_id: number;
  content: string;
}

/** An environment, with the keys of its sealed boxes; the emulator's own. */
export interface EnvironmentRow extends Row {
  repo_id: number;
  node_id: string;
  name: string;
  key_id: string;
  public_key: string;
  private_key: string;
}

export interface EnvironmentSecretRow extends Row {
  environment_id: number;
  name: string;
  /** A sealed box, as it came. */
  encrypted_value: string;
}

export interface TokenRow extends Row {
  token: string;
  login: string;
  user_id: number;
  scopes: string[];
}

/** emulate's collections, by the names its own routes use. */
export interface EmulateRows {
  users: RowCollection<UserRow>;
  orgs: RowCollection<Row & { login: string }>;
  teams: RowCollection<Row & { org_id: number }>;
  teamMembers: RowCollection<Row & { team_id: number; user_id: number }>;
  repos: RowCollection<RepoRow>;
  collaborators: RowCollection<CollaboratorRow>;
  issues: RowCollection<IssueRow>;
  pullRequests: RowCollection<PullRow>;
  labels: RowCollection<LabelRow>;
  comments: RowCollection<CommentRow>;
  reviews: RowCollection<ReviewRow>;
  issueEvents: RowCollection<IssueEventRow>;
  branches: RowCollection<BranchRow>;
  refs: RowCollection<RefRow>;
  commits: RowCollection<CommitRow>;
  trees: RowCollection<TreeRow>;
  blobs: RowCollection<BlobRow>;
  tags: RowCollection<TagRow>;
  webhooks: RowCollection<HookRow>;
}

/** emulate's collections and the emulator's own. */
export interface Rows extends EmulateRows {
  reactions: RowCollection<ReactionRow>;
  tokens: RowCollection<TokenRow>;
  redirects: RowCollection<RedirectRow>;
  environments: RowCollection<EnvironmentRow>;
  environmentSecrets: RowCollection<EnvironmentSecretRow>;
}
