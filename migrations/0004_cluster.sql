CREATE TABLE "cluster_findings" (
	"name" text PRIMARY KEY NOT NULL,
	"state" text NOT NULL,
	"detail" text NOT NULL,
	"found_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "environment_slots" (
	"namespace" text PRIMARY KEY NOT NULL,
	"issue_key" text NOT NULL,
	"leased_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "environment_slots_issue_key_unique" UNIQUE("issue_key")
);
--> statement-breakpoint
ALTER TABLE "projects" ADD COLUMN "namespace_template" text;