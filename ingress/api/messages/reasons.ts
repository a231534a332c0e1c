/** Why a delivery was taken or not, and why no run came of a label or a review, in plain sentences. */

const SENTENCES: Readonly<Record<string, string>> = {
  recorded: 'Recorded; no action follows from it.',
  platform_owner: 'Accepted: the sender is a platform owner.',
  platform_admin: 'Accepted: the sender is an administrator of the platform.',
  project_member_admin: 'Accepted: the sender is an administrator of the project.',
  project_member_read_write: 'Accepted: the sender may write in the project.',
  issue_event_not_trigger_label: 'No label that starts a run was added.',
  issue_trigger_label_conflict: 'The issue has several labels that start a run; it may have one at a time.',
  repository_not_bound_for_issue_label:
    'The repository is not bound to a project. Bind it with “codex-k8s repositories add OWNER/NAME”.',
  repository_not_bound_for_push_main: 'A push to the main branch of a repository that is not bound to a project.',
  sender_login_missing: 'The delivery names no sender.',
  sender_not_allowed: 'The platform does not know the sender. Add them with “codex-k8s members add LOGIN --role ROLE”.',
  sender_not_project_member: 'The sender is not a member of the project that the repository belongs to.',
  sender_role_not_permitted: 'The sender has no role in the project that may start runs.',
  pull_request_review_stage_not_resolved: 'It is unclear which stage the review is about.',
  pull_request_review_stage_ambiguous: 'The labels name several stages, so it is unclear which one to revise.',
  repository_archived: 'The repository was archived, so its issues are no longer worked on.',
  repository_deleted: 'The repository was deleted, so its issues are no longer worked on.',
  app_removed: 'The app was removed from repositories, so their issues are no longer worked on.',
  app_suspended: 'The app was suspended in repositories, so their issues are no longer worked on.',
  no_open_issue_concerned: 'A repository is gone, and it has no open issue here.',
  label_catalogue_drift:
    'A label of the platform was renamed or deleted. “codex-k8s labels sync OWNER/NAME” creates it again.',
  state_blocked: 'The issue has the label state:blocked, so nothing is started.',
  needs_input: 'The issue has the label need:input, so nothing is started until a person has answered.',
  profile_label_conflict: 'The issue has several profile labels; it may have one.',
  stage_not_in_profile: "The issue's trajectory (its profile label) does not have that stage.",
  stage_entry_not_met: 'The stage before that one is not done yet.',
  issue_trigger_candidate_not_found: 'The issue has no pull request yet, which the stage needs.',
  discussion_mode_trigger_label_conflict: 'A discussion cannot start while a run is requested, works or waits.',
  comment_by_agent: 'The platform itself wrote the comment; a person has to answer the question.',
  trigger_by_agent: 'An agent set the label; only a person may.',
  pull_request_not_current: 'That pull request is not the open one of the issue.',
  queue_full: 'The queue of the issue is full.',
  too_many_triggers: 'The issue has asked for too many runs within an hour; a person is asked.',
  review_outdated: 'The review is of a commit that is no longer the newest.',
  review_gone: 'GitHub no longer shows the review.',
  review_dismissed: 'The review was dismissed.',
  review_superseded: 'The reviewer has approved the pull request since.',
  review_asks_for_nothing: 'The review does not request changes.',
  review_of_earlier_life: 'The review is from before the issue was last closed or reopened.',
  pull_request_closed: 'The pull request is closed.',
  issue_closed: 'The issue was closed by then.',
  label_absent: 'The label was already removed when the platform asked GitHub.',
  trigger_already_taken: 'The run of this trigger exists already.',
};

/** The sentence of a reason code; the code itself if it is unknown. */
export function reasonText(code: string): string {
  const sentence = SENTENCES[code];
  if (sentence !== undefined) return sentence;
  const type = /^sender_type_(\w+)_not_permitted$/.exec(code)?.[1];
  if (type !== undefined) return `The sender is a ${type} and not a person; only people may start runs.`;
  const role = /^sender_role_(\w+)_not_permitted$/.exec(code)?.[1];
  if (role !== undefined) return `The sender's role “${role}” may not start runs.`;
  return code;
}
