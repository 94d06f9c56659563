CREATE TABLE "predictions" (
	"id" uuid NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"endpoint" text,
	"revision" integer,
	"model" text NOT NULL,
	"version" integer NOT NULL,
	"features" jsonb NOT NULL,
	"probability" double precision NOT NULL,
	"label" text NOT NULL,
	"decision" text NOT NULL,
	"latency_us" integer NOT NULL,
	"trace_id" text,
	"request_id" text NOT NULL,
	"caller" text NOT NULL,
	CONSTRAINT "predictions_created_at_id_pk" PRIMARY KEY("created_at","id")
) PARTITION BY RANGE ("created_at");
--> statement-breakpoint
CREATE INDEX "predictions_endpoint_index" ON "predictions" USING btree ("endpoint","created_at");--> statement-breakpoint
CREATE INDEX "predictions_model_index" ON "predictions" USING btree ("model","version","created_at");