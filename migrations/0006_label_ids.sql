CREATE TABLE "repository_labels" (
	"repository_id" bigint NOT NULL,
	"name" text NOT NULL,
	"label_id" bigint NOT NULL,
	"known_since" timestamp with time zone NOT NULL,
	CONSTRAINT "repository_labels_repository_id_name_pk" PRIMARY KEY("repository_id","name")
);
