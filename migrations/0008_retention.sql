ALTER TABLE "deliveries" ADD COLUMN "pruned_at" timestamp with time zone;--> statement-breakpoint
CREATE INDEX "deliveries_whole" ON "deliveries" USING btree ("received_at") WHERE pruned_at is null;