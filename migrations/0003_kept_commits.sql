CREATE TABLE "kept_commit_parts" (
	"run_id" uuid NOT NULL,
	"n" integer NOT NULL,
	"part" "bytea" NOT NULL,
	CONSTRAINT "kept_commit_parts_run_id_n_pk" PRIMARY KEY("run_id","n")
);
--> statement-breakpoint
CREATE TABLE "kept_commits" (
	"run_id" uuid PRIMARY KEY NOT NULL,
	"repository_id" bigint NOT NULL,
	"branch" text NOT NULL,
	"head_sha" text NOT NULL,
	"bytes" integer NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE INDEX "kept_commits_branch" ON "kept_commits" USING btree ("repository_id","branch");