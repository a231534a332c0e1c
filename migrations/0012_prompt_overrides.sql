CREATE TABLE "prompt_overrides" (
	"scope" text NOT NULL,
	"project" text NOT NULL,
	"stage" text NOT NULL,
	"kind" text NOT NULL,
	"locale" text NOT NULL,
	"version" integer NOT NULL,
	"author" text NOT NULL,
	"body" text,
	"sha256" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "prompt_overrides_scope_project_stage_kind_locale_version_pk" PRIMARY KEY("scope","project","stage","kind","locale","version")
);
--> statement-breakpoint
ALTER TABLE "agent_assignments" ADD COLUMN "task_source" text;--> statement-breakpoint
ALTER TABLE "agent_assignments" ADD COLUMN "task_version" text;--> statement-breakpoint
ALTER TABLE "agent_assignments" ADD COLUMN "task_sha256" text;