CREATE TABLE "tool_calls" (
	"id" text PRIMARY KEY NOT NULL,
	"run_id" uuid NOT NULL,
	"attempt" integer NOT NULL,
	"tool" text NOT NULL,
	"action" text NOT NULL,
	"args" text NOT NULL,
	"sealed" text,
	"digest" text NOT NULL,
	"state" text NOT NULL,
	"decision" jsonb NOT NULL,
	"policy" jsonb,
	"result" text,
	"called_at" timestamp with time zone DEFAULT now() NOT NULL,
	"ended_at" timestamp with time zone
);
--> statement-breakpoint
CREATE INDEX "tool_calls_run" ON "tool_calls" USING btree ("run_id","called_at");--> statement-breakpoint
CREATE INDEX "tool_calls_repeated" ON "tool_calls" USING btree ("run_id","digest");--> statement-breakpoint
CREATE UNIQUE INDEX "tool_calls_parked" ON "tool_calls" USING btree ("run_id","attempt") WHERE state in ('requested', 'approved');