CREATE TABLE "budget_stops" (
	"run_id" uuid NOT NULL,
	"attempt" integer NOT NULL,
	"scope" text NOT NULL,
	"key" text NOT NULL,
	"spent" bigint NOT NULL,
	"limit" bigint NOT NULL,
	"original" bigint NOT NULL,
	"at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "budget_stops_run_id_attempt_pk" PRIMARY KEY("run_id","attempt")
);
--> statement-breakpoint
CREATE TABLE "model_budget_raises" (
	"request_id" text PRIMARY KEY NOT NULL,
	"scope" text NOT NULL,
	"key" text NOT NULL,
	"added" bigint NOT NULL,
	"actor" text NOT NULL,
	"at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "model_budgets" (
	"scope" text NOT NULL,
	"key" text NOT NULL,
	"spent" bigint DEFAULT 0 NOT NULL,
	"reserved" bigint DEFAULT 0 NOT NULL,
	"added" bigint DEFAULT 0 NOT NULL,
	"warned" integer DEFAULT 0 NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "model_budgets_scope_key_pk" PRIMARY KEY("scope","key")
);
--> statement-breakpoint
CREATE TABLE "model_calls" (
	"id" uuid PRIMARY KEY NOT NULL,
	"run_id" uuid NOT NULL,
	"attempt" integer NOT NULL,
	"issue_key" text NOT NULL,
	"project" text NOT NULL,
	"day" text NOT NULL,
	"model" text NOT NULL,
	"tier" text,
	"state" text DEFAULT 'reserved' NOT NULL,
	"reserved" bigint NOT NULL,
	"cost" bigint,
	"input" bigint DEFAULT 0 NOT NULL,
	"cached" bigint DEFAULT 0 NOT NULL,
	"cache_write" bigint DEFAULT 0 NOT NULL,
	"output" bigint DEFAULT 0 NOT NULL,
	"reasoning" bigint DEFAULT 0 NOT NULL,
	"prices" text NOT NULL,
	"at" timestamp with time zone DEFAULT now() NOT NULL,
	"deadline" timestamp with time zone NOT NULL,
	"settled_at" timestamp with time zone
);
--> statement-breakpoint
ALTER TABLE "agent_assignments" ADD COLUMN "issue_key" text;--> statement-breakpoint
ALTER TABLE "agent_assignments" ADD COLUMN "project" text;--> statement-breakpoint
CREATE INDEX "model_calls_run" ON "model_calls" USING btree ("run_id");--> statement-breakpoint
CREATE INDEX "model_calls_issue" ON "model_calls" USING btree ("issue_key");--> statement-breakpoint
CREATE INDEX "model_calls_day" ON "model_calls" USING btree ("day");--> statement-breakpoint
CREATE INDEX "model_calls_open" ON "model_calls" USING btree ("deadline") WHERE state = 'reserved';