/** Why a delivery was taken or not, and why no run came of a label or a review, in plain sentences. */

const SENTENCES: Readonly<Record<string, string>> = {
  recorded: 'Kept for the record; it asks for nothing.',
  platform_owner: 'Accepted: the sender is an owner of the platform.',
  platform_admin: 'Accepted: the sender is an administrator of the platform.',
  project_member_admin: 'Accepted: the sender is an administrator of the project.',
  project_member_read_write: 'Accepted: the sender may write in the project.',
  issue_event_not_trigger_label: 'No label that starts a run was put on, so there is nothing to start.',
  issue_trigger_label_conflict: 'The issue carries several labels that start a run; only one may be on at a time.',
  repository_not_bound_for_issue_label:
    'The repository is not bound to a project. Bind it with “codex-k8s repositories add OWNER/NAME”.',
  repository_not_bound_for_push_main: 'A push to the main branch of a repository that is not bound to a project.',
  sender_login_missing: 'The delivery names no sender.',
  sender_not_allowed: 'The platform does not know the sender. Add them with “codex-k8s members add LOGIN --role ROLE”.',
  sender_not_project_member: 'The sender is not a member of the project that the repository belongs to.',
  sender_role_not_permitted: 'The sender has no role in the project that may start runs.',
  pull_request_review_stage_not_resolved: 'It is unclear which stage the review sends back.',
  pull_request_review_stage_ambiguous: 'The labels name several stages, so it is unclear which one to revise.',
  repository_archived: 'The repository was archived: its issues are over here.',
  repository_deleted: 'The repository was deleted: its issues are over here.',
  app_removed: 'The platform was taken out of repositories: their issues are over here.',
  app_suspended: 'The platform was suspended in repositories: their issues are over here.',
  no_open_issue_concerned:
    'Nothing can be done in a repository any more, and no issue that is open here belongs to it.',
  label_catalogue_drift:
    'A label that means something here was renamed or deleted. “codex-k8s labels sync OWNER/NAME” makes it again.',
  state_blocked: 'The issue carries state:blocked, so nothing is started.',
  needs_input: 'The issue carries need:input, so nothing is started until a person has answered.',
  profile_label_conflict: 'The issue carries several profiles; only one can be followed.',
  stage_not_in_profile: 'The profile of the issue does not have that stage.',
  stage_entry_not_met: 'The stage before that one is not done yet.',
  issue_trigger_candidate_not_found: 'There is no pull request of the issue yet that the stage could look at.',
  discussion_mode_trigger_label_conflict: 'A conversation cannot begin while a run works, waits or is asked for.',
  comment_by_agent: 'The platform itself wrote the comment; a person has to answer what the run asks.',
  trigger_by_agent: 'An agent put the label on; a person has to.',
  pull_request_not_current: 'That pull request is not the open one of the issue.',
  queue_full: 'Too many runs of the issue waited already.',
  review_outdated: 'The review is of a commit that is not the newest any more.',
  review_gone: 'GitHub does not show the review any more.',
  review_dismissed: 'The review was dismissed.',
  review_superseded: 'The reviewer has approved the pull request since.',
  review_asks_for_nothing: 'The review does not request changes.',
  review_of_earlier_life: 'The review is from before the issue was last closed or reopened.',
  pull_request_closed: 'The pull request is closed.',
  issue_closed: 'The issue was closed by then.',
  label_absent: 'The label was off again by the time the platform looked.',
  trigger_already_taken: 'The run that this asks for exists already.',
};

/** The sentence of a reason code; the code itself where there is none. */
export function reasonText(code: string): string {
  const sentence = SENTENCES[code];
  if (sentence !== undefined) return sentence;
  const type = /^sender_type_(\w+)_not_permitted$/.exec(code)?.[1];
  if (type !== undefined) return `The sender is a ${type} and not a person; only people may start runs.`;
  const role = /^sender_role_(\w+)_not_permitted$/.exec(code)?.[1];
  if (role !== undefined) return `The sender's role “${role}” may not start runs.`;
  return code;
}
