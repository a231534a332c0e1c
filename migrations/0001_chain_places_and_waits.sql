CREATE TABLE "github_waits" (
	"api_url" text PRIMARY KEY NOT NULL,
	"until" timestamp with time zone NOT NULL,
	"reason" text NOT NULL,
	"strikes" integer DEFAULT 0 NOT NULL
);
--> statement-breakpoint
ALTER TABLE "deliveries" ADD COLUMN "event_payload" jsonb;--> statement-breakpoint
ALTER TABLE "deliveries" ADD COLUMN "event_seq" integer;--> statement-breakpoint
ALTER TABLE "deliveries" ADD COLUMN "event_hash" text;--> statement-breakpoint
CREATE INDEX "issues_open" ON "issues" USING btree ("repository_id","number") WHERE state <> 'closed';--> statement-breakpoint
CREATE INDEX "runs_trigger" ON "runs" USING btree ("issue_key","trigger");--> statement-breakpoint
CREATE INDEX "runs_unfinished" ON "runs" USING btree ("created_at") WHERE finished_at is null;--> statement-breakpoint
UPDATE "deliveries" SET "event_payload" = e."payload", "event_seq" = e."seq", "event_hash" = e."hash" FROM "flow_events" e WHERE e."id" = 'webhook:' || "deliveries"."id";
