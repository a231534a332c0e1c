CREATE TABLE "github_budgets" (
	"api_url" text PRIMARY KEY NOT NULL,
	"writes" timestamp with time zone[] NOT NULL
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
ALTER TABLE "agent_assignments" ADD COLUMN "snapshot" jsonb;--> statement-breakpoint
ALTER TABLE "agent_assignments" ADD COLUMN "snapshot_sha256" text;--> statement-breakpoint
ALTER TABLE "agent_assignments" ADD COLUMN "since_sha" text;--> statement-breakpoint
ALTER TABLE "agent_assignments" ADD COLUMN "start_sha" text;--> statement-breakpoint
ALTER TABLE "issues" ADD COLUMN "past" jsonb;--> statement-breakpoint
ALTER TABLE "projects" ADD COLUMN "model" text;--> statement-breakpoint
ALTER TABLE "projects" ADD COLUMN "reasoning_effort" text;