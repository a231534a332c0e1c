ALTER TABLE "runs" ADD COLUMN "cli" text;--> statement-breakpoint
ALTER TABLE "projects" ADD COLUMN "cli" text;--> statement-breakpoint
ALTER TABLE "projects" ADD COLUMN "command" text[];--> statement-breakpoint
ALTER TABLE "agent_assignments" ADD COLUMN "cli" text DEFAULT 'codex' NOT NULL;--> statement-breakpoint
ALTER TABLE "agent_assignments" ADD COLUMN "command" text[];