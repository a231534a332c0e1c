ALTER TABLE "agent_conversation_parts" ADD COLUMN "sha256" "bytea";--> statement-breakpoint
ALTER TABLE "agent_conversations" ADD COLUMN "sha256" text;--> statement-breakpoint
ALTER TABLE "agent_conversations" ADD COLUMN "attempt" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "agent_conversations" ADD COLUMN "revision" integer DEFAULT 0 NOT NULL;