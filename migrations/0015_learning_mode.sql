CREATE TABLE "learning_feedback" (
	"run_id" uuid NOT NULL,
	"n" integer NOT NULL,
	"path" text NOT NULL,
	"line" integer,
	"explanation" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "learning_feedback_run_id_n_pk" PRIMARY KEY("run_id","n")
);
--> statement-breakpoint
ALTER TABLE "project_members" ADD COLUMN "learning" boolean;--> statement-breakpoint
ALTER TABLE "projects" ADD COLUMN "learning" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "agent_assignments" ADD COLUMN "learning" boolean;