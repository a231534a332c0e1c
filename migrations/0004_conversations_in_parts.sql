CREATE TABLE "agent_conversation_parts" (
	"run_id" uuid NOT NULL,
	"version" text NOT NULL,
	"n" integer NOT NULL,
	"bytes" "bytea" NOT NULL,
	CONSTRAINT "agent_conversation_parts_run_id_version_n_pk" PRIMARY KEY("run_id","version","n")
);
--> statement-breakpoint
-- Conversations that are stored already are cut into parts of 512 KiB.
INSERT INTO "agent_conversation_parts" ("run_id", "version", "n", "bytes")
SELECT "run_id", 'whole', n, substring("rollout" from n * 524288 + 1 for 524288)
FROM "agent_conversations", generate_series(0, (octet_length("rollout") - 1) / 524288) AS n
WHERE octet_length("rollout") > 0;--> statement-breakpoint
ALTER TABLE "agent_conversations" ADD COLUMN "version" text DEFAULT 'whole' NOT NULL;--> statement-breakpoint
ALTER TABLE "agent_conversations" ADD COLUMN "parts" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
UPDATE "agent_conversations" SET "parts" = (octet_length("rollout") + 524287) / 524288;--> statement-breakpoint
ALTER TABLE "agent_conversations" ALTER COLUMN "version" DROP DEFAULT;--> statement-breakpoint
ALTER TABLE "agent_conversations" ALTER COLUMN "parts" DROP DEFAULT;--> statement-breakpoint
ALTER TABLE "agent_conversations" DROP COLUMN "rollout";
