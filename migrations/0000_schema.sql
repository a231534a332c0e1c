CREATE TABLE "agent_assignments" (
	"run_id" uuid PRIMARY KEY NOT NULL,
	"repository_id" bigint NOT NULL,
	"repository_full_name" text NOT NULL,
	"branch" text NOT NULL,
	"base_branch" text NOT NULL,
	"kind" text NOT NULL,
	"prompt" text NOT NULL,
	"prompt_sha256" text NOT NULL,
	"model" text NOT NULL,
	"reasoning_effort" text NOT NULL,
	"snapshot" jsonb,
	"snapshot_sha256" text,
	"since_sha" text,
	"start_sha" text,
	"attempt" integer DEFAULT 1 NOT NULL,
	"revoked_attempt" integer DEFAULT 0 NOT NULL,
	"resume_thread_id" text,
	"resume_run_id" uuid,
	"closed_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "agent_attempts" (
	"run_id" uuid NOT NULL,
	"attempt" integer NOT NULL,
	"message" text,
	"report" jsonb,
	"reported_at" timestamp with time zone,
	CONSTRAINT "agent_attempts_run_id_attempt_pk" PRIMARY KEY("run_id","attempt")
);
--> statement-breakpoint
CREATE TABLE "agent_conversations" (
	"run_id" uuid PRIMARY KEY NOT NULL,
	"thread_id" text NOT NULL,
	"rollout" "bytea" NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "cluster_findings" (
	"name" text PRIMARY KEY NOT NULL,
	"state" text NOT NULL,
	"detail" text NOT NULL,
	"found_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "deliveries" (
	"id" text PRIMARY KEY NOT NULL,
	"event" text NOT NULL,
	"action" text,
	"body" "bytea" NOT NULL,
	"status" text NOT NULL,
	"reason" text NOT NULL,
	"repository_id" bigint,
	"issue_key" text,
	"sender" text,
	"run_id" uuid,
	"repeats" integer DEFAULT 0 NOT NULL,
	"event_payload" jsonb,
	"event_seq" integer,
	"event_hash" text,
	"received_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "flow_events" (
	"id" text PRIMARY KEY NOT NULL,
	"chain" text NOT NULL,
	"seq" integer NOT NULL,
	"type" text NOT NULL,
	"actor_type" text NOT NULL,
	"actor_id" text NOT NULL,
	"run_id" uuid,
	"correlation_id" text,
	"payload" jsonb NOT NULL,
	"occurred_at" timestamp with time zone NOT NULL,
	"previous_hash" text NOT NULL,
	"hash" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "github_budgets" (
	"api_url" text PRIMARY KEY NOT NULL,
	"writes" timestamp with time zone[] NOT NULL
);
--> statement-breakpoint
CREATE TABLE "github_waits" (
	"api_url" text PRIMARY KEY NOT NULL,
	"until" timestamp with time zone NOT NULL,
	"reason" text NOT NULL,
	"strikes" integer DEFAULT 0 NOT NULL
);
--> statement-breakpoint
CREATE TABLE "inboxes" (
	"issue_key" text PRIMARY KEY NOT NULL,
	"issue" jsonb NOT NULL,
	"last_seq" integer DEFAULT 0 NOT NULL,
	"signaled_seq" integer DEFAULT 0 NOT NULL,
	"next_at" timestamp with time zone DEFAULT now() NOT NULL,
	"claimed_until" timestamp with time zone,
	"failures" integer DEFAULT 0 NOT NULL
);
--> statement-breakpoint
CREATE TABLE "issue_facts" (
	"issue_key" text NOT NULL,
	"seq" integer NOT NULL,
	"delivery_id" text NOT NULL,
	"fact" jsonb NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "issue_facts_issue_key_seq_pk" PRIMARY KEY("issue_key","seq")
);
--> statement-breakpoint
CREATE TABLE "issues" (
	"key" text PRIMARY KEY NOT NULL,
	"repository_id" bigint NOT NULL,
	"number" integer NOT NULL,
	"title" text NOT NULL,
	"url" text NOT NULL,
	"state" text NOT NULL,
	"waiting_for" text,
	"stage" text,
	"active_run_id" uuid,
	"queued" integer DEFAULT 0 NOT NULL,
	"pull_request" integer,
	"workspace" text,
	"past" jsonb,
	"revision" integer NOT NULL,
	"updated_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "people" (
	"id" bigint PRIMARY KEY NOT NULL,
	"login" text NOT NULL,
	"platform_role" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "project_members" (
	"project_id" uuid NOT NULL,
	"person_id" bigint NOT NULL,
	"role" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "project_members_project_id_person_id_pk" PRIMARY KEY("project_id","person_id")
);
--> statement-breakpoint
CREATE TABLE "projects" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"slug" text NOT NULL,
	"name" text NOT NULL,
	"locale" text DEFAULT 'en' NOT NULL,
	"model" text,
	"reasoning_effort" text,
	"namespace_template" text,
	"egress" text[] DEFAULT '{}' NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "projects_slug_unique" UNIQUE("slug")
);
--> statement-breakpoint
CREATE TABLE "repositories" (
	"id" bigint PRIMARY KEY NOT NULL,
	"project_id" uuid NOT NULL,
	"owner" text NOT NULL,
	"name" text NOT NULL,
	"default_branch" text DEFAULT 'main' NOT NULL,
	"hook_id" bigint,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "requests" (
	"id" text PRIMARY KEY NOT NULL,
	"run_id" uuid NOT NULL,
	"issue_key" text NOT NULL,
	"request" jsonb NOT NULL,
	"closed_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "run_log_lines" (
	"run_id" uuid NOT NULL,
	"n" integer NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"kind" text NOT NULL,
	"text" text NOT NULL,
	CONSTRAINT "run_log_lines_run_id_n_pk" PRIMARY KEY("run_id","n")
);
--> statement-breakpoint
CREATE TABLE "runs" (
	"id" uuid PRIMARY KEY NOT NULL,
	"issue_key" text NOT NULL,
	"repository_id" bigint NOT NULL,
	"issue_number" integer NOT NULL,
	"stage" text NOT NULL,
	"kind" text NOT NULL,
	"trigger" text NOT NULL,
	"triggered_by" text NOT NULL,
	"correlation_id" text NOT NULL,
	"status" text NOT NULL,
	"failure" text,
	"detail" text,
	"branch" text NOT NULL,
	"workspace" text,
	"pull_request" integer,
	"pull_request_url" text,
	"status_comment_url" text,
	"model" text,
	"reasoning_effort" text,
	"thread_id" text,
	"wait" jsonb,
	"revision" integer NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"started_at" timestamp with time zone,
	"finished_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "status_comments" (
	"run_id" uuid PRIMARY KEY NOT NULL,
	"repository_id" bigint NOT NULL,
	"number" integer NOT NULL,
	"comment_id" bigint,
	"url" text,
	"body" text NOT NULL,
	"revision" integer NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	"written" text,
	"written_revision" integer,
	"written_at" timestamp with time zone,
	"claims" integer DEFAULT 0 NOT NULL,
	"claimed_until" timestamp with time zone,
	"restored" timestamp with time zone[] DEFAULT '{}' NOT NULL
);
--> statement-breakpoint
CREATE TABLE "workspace_slots" (
	"namespace" text PRIMARY KEY NOT NULL,
	"issue_key" text NOT NULL,
	"leased_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "workspace_slots_issue_key_unique" UNIQUE("issue_key")
);
--> statement-breakpoint
ALTER TABLE "project_members" ADD CONSTRAINT "project_members_project_id_projects_id_fk" FOREIGN KEY ("project_id") REFERENCES "public"."projects"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "project_members" ADD CONSTRAINT "project_members_person_id_people_id_fk" FOREIGN KEY ("person_id") REFERENCES "public"."people"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "repositories" ADD CONSTRAINT "repositories_project_id_projects_id_fk" FOREIGN KEY ("project_id") REFERENCES "public"."projects"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "deliveries_received" ON "deliveries" USING btree ("received_at");--> statement-breakpoint
CREATE INDEX "deliveries_issue" ON "deliveries" USING btree ("issue_key");--> statement-breakpoint
CREATE UNIQUE INDEX "flow_events_chain" ON "flow_events" USING btree ("chain","seq");--> statement-breakpoint
CREATE INDEX "flow_events_run" ON "flow_events" USING btree ("run_id");--> statement-breakpoint
CREATE INDEX "flow_events_occurred" ON "flow_events" USING btree ("occurred_at");--> statement-breakpoint
CREATE INDEX "inboxes_waiting" ON "inboxes" USING btree ("next_at") WHERE last_seq > signaled_seq;--> statement-breakpoint
CREATE INDEX "issues_updated" ON "issues" USING btree ("updated_at");--> statement-breakpoint
CREATE INDEX "issues_open" ON "issues" USING btree ("repository_id","number") WHERE state <> 'closed';--> statement-breakpoint
CREATE INDEX "requests_run" ON "requests" USING btree ("run_id");--> statement-breakpoint
CREATE INDEX "requests_open" ON "requests" USING btree ("issue_key") WHERE closed_at is null;--> statement-breakpoint
CREATE INDEX "runs_issue" ON "runs" USING btree ("issue_key","created_at");--> statement-breakpoint
CREATE INDEX "runs_created" ON "runs" USING btree ("created_at");--> statement-breakpoint
CREATE INDEX "runs_trigger" ON "runs" USING btree ("issue_key","trigger");--> statement-breakpoint
CREATE INDEX "runs_unfinished" ON "runs" USING btree ("created_at") WHERE finished_at is null;