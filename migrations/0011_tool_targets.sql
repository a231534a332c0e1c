CREATE TABLE "project_databases" (
	"name" text PRIMARY KEY NOT NULL,
	"project_id" uuid NOT NULL,
	"environment" text NOT NULL,
	"role" text NOT NULL,
	"state" text NOT NULL,
	"sealed_url" text NOT NULL,
	"run_id" uuid NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "secret_syncs" (
	"project_id" uuid NOT NULL,
	"idempotency_key" text NOT NULL,
	"fingerprint" text NOT NULL,
	"run_id" uuid NOT NULL,
	"synced_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "secret_syncs_project_id_idempotency_key_pk" PRIMARY KEY("project_id","idempotency_key")
);
--> statement-breakpoint
CREATE TABLE "synced_secrets" (
	"kind" text NOT NULL,
	"location" text NOT NULL,
	"name" text NOT NULL,
	"project_id" uuid NOT NULL,
	"environment" text NOT NULL,
	"fingerprint" text,
	"run_id" uuid NOT NULL,
	"written_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "synced_secrets_kind_location_name_pk" PRIMARY KEY("kind","location","name")
);
