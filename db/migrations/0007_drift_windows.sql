CREATE SEQUENCE "public"."prediction_positions" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1;--> statement-breakpoint
CREATE TABLE "drift_reports" (
	"endpoint" text NOT NULL,
	"sequence" integer NOT NULL,
	"judged" boolean NOT NULL,
	"drifted" boolean NOT NULL,
	"drifted_share" double precision NOT NULL,
	"prediction_drifted" boolean NOT NULL,
	"columns" json NOT NULL,
	"estimate" json,
	"report_sha256" text NOT NULL,
	"page_sha256" text NOT NULL,
	"archive_sha256" text NOT NULL,
	"sketches_sha256" text NOT NULL,
	"computed_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "drift_reports_endpoint_sequence_pk" PRIMARY KEY("endpoint","sequence")
);
--> statement-breakpoint
CREATE TABLE "drift_windows" (
	"endpoint" text NOT NULL,
	"sequence" integer NOT NULL,
	"model" text NOT NULL,
	"version" integer NOT NULL,
	"after_position" bigint NOT NULL,
	"until_position" bigint NOT NULL,
	"rows" integer NOT NULL,
	"first_at" timestamp (3) with time zone NOT NULL,
	"last_at" timestamp (3) with time zone NOT NULL,
	"closed_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "drift_windows_endpoint_sequence_pk" PRIMARY KEY("endpoint","sequence"),
	CONSTRAINT "drift_windows_begin" UNIQUE("endpoint","model","version","after_position")
);
--> statement-breakpoint
ALTER TABLE "predictions" ADD COLUMN "position" bigint DEFAULT nextval('prediction_positions') NOT NULL;--> statement-breakpoint
ALTER TABLE "drift_reports" ADD CONSTRAINT "drift_reports_endpoint_sequence_drift_windows_endpoint_sequence_fk" FOREIGN KEY ("endpoint","sequence") REFERENCES "public"."drift_windows"("endpoint","sequence") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "drift_reports_computed_index" ON "drift_reports" USING btree ("computed_at");--> statement-breakpoint
CREATE INDEX "predictions_position_index" ON "predictions" USING btree ("endpoint","model","version","position");--> statement-breakpoint
CREATE FUNCTION share_prediction_positions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- Before the first position is given out; held until the rows can be seen. Who takes the lock alone (db/drift-windows.ts)
  -- waits for all of these. The number is the lock's name.
  PERFORM pg_advisory_xact_lock_shared(4213380);
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER predictions_positions BEFORE INSERT ON "predictions" FOR EACH STATEMENT EXECUTE FUNCTION share_prediction_positions();
