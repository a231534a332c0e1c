ALTER TABLE "run_log_lines" ADD COLUMN "source" text;--> statement-breakpoint
CREATE UNIQUE INDEX "run_log_lines_source" ON "run_log_lines" USING btree ("run_id","source");