-- Bodies come packed: Postgres need neither try to pack them again nor put them elsewhere.
ALTER TABLE "deliveries" ALTER COLUMN "body" SET STORAGE EXTERNAL;--> statement-breakpoint
ALTER TABLE "deliveries" SET (toast_tuple_target = 8160);
