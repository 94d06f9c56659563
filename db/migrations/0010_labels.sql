CREATE TABLE "label_corrections" (
	"id" bigserial PRIMARY KEY NOT NULL,
	"prediction_id" uuid NOT NULL,
	"label" text NOT NULL,
	"observed_at" timestamp (3) with time zone NOT NULL,
	"received_at" timestamp (3) with time zone NOT NULL,
	"reported_by" text NOT NULL,
	"replaced_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "labels" (
	"prediction_id" uuid PRIMARY KEY NOT NULL,
	"predicted_at" timestamp (3) with time zone NOT NULL,
	"endpoint" text,
	"model" text NOT NULL,
	"version" integer NOT NULL,
	"position" bigint NOT NULL,
	"probability" double precision NOT NULL,
	"label" text NOT NULL,
	"observed_at" timestamp (3) with time zone NOT NULL,
	"received_at" timestamp (3) with time zone NOT NULL,
	"reported_by" text NOT NULL,
	"counted" boolean DEFAULT false NOT NULL
);
--> statement-breakpoint
CREATE TABLE "pending_labels" (
	"id" bigserial PRIMARY KEY NOT NULL,
	"prediction_id" uuid,
	"endpoint" text,
	"entity" text,
	"at" timestamp (3) with time zone,
	"label" text NOT NULL,
	"observed_at" timestamp (3) with time zone NOT NULL,
	"received_at" timestamp (3) with time zone NOT NULL,
	"reported_by" text NOT NULL,
	"retry_at" timestamp (3) with time zone,
	"refused" text,
	CONSTRAINT "pending_labels_key" UNIQUE NULLS NOT DISTINCT("prediction_id","endpoint","entity","at","label")
);
--> statement-breakpoint
CREATE TABLE "realised_metrics" (
	"endpoint" text NOT NULL,
	"sequence" integer NOT NULL,
	"metrics" json NOT NULL,
	"labelled" integer NOT NULL,
	"target_drift" json,
	"restated_count" integer NOT NULL,
	"computed_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "realised_metrics_endpoint_sequence_pk" PRIMARY KEY("endpoint","sequence")
);
--> statement-breakpoint
ALTER TABLE "predictions" ADD COLUMN "entity" text;--> statement-breakpoint
ALTER TABLE "label_corrections" ADD CONSTRAINT "label_corrections_prediction_id_labels_prediction_id_fk" FOREIGN KEY ("prediction_id") REFERENCES "public"."labels"("prediction_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "realised_metrics" ADD CONSTRAINT "realised_metrics_endpoint_sequence_drift_windows_endpoint_sequence_fk" FOREIGN KEY ("endpoint","sequence") REFERENCES "public"."drift_windows"("endpoint","sequence") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "label_corrections_prediction_index" ON "label_corrections" USING btree ("prediction_id");--> statement-breakpoint
CREATE INDEX "labels_position_index" ON "labels" USING btree ("endpoint","model","version","position");--> statement-breakpoint
CREATE INDEX "labels_uncounted_index" ON "labels" USING btree ("endpoint","model","version","position") WHERE not counted;--> statement-breakpoint
CREATE INDEX "labels_predicted_index" ON "labels" USING btree ("predicted_at");--> statement-breakpoint
CREATE INDEX "pending_labels_retry_index" ON "pending_labels" USING btree ("retry_at");--> statement-breakpoint
CREATE INDEX "predictions_entity_index" ON "predictions" USING btree ("endpoint","entity","created_at") WHERE entity is not null;