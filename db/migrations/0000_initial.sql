CREATE TABLE "dataset_tables" (
	"dataset_version_id" text NOT NULL,
	"definition_sha256" text NOT NULL,
	"parquet_sha256" text NOT NULL,
	"rows" integer NOT NULL,
	"profile" json NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "dataset_tables_dataset_version_id_definition_sha256_pk" PRIMARY KEY("dataset_version_id","definition_sha256")
);
--> statement-breakpoint
CREATE TABLE "dataset_versions" (
	"id" text PRIMARY KEY NOT NULL,
	"dataset_name" text NOT NULL,
	"sha256" text NOT NULL,
	"bytes" bigint NOT NULL,
	"format" text NOT NULL,
	"created_by" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "datasets" (
	"name" text PRIMARY KEY NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "endpoint_revisions" (
	"endpoint_name" text NOT NULL,
	"revision" integer NOT NULL,
	"model_name" text NOT NULL,
	"model_version" integer NOT NULL,
	"state" text NOT NULL,
	"detail" text,
	"run_id" text NOT NULL,
	"traceparent" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"activated_at" timestamp with time zone,
	CONSTRAINT "endpoint_revisions_endpoint_name_revision_pk" PRIMARY KEY("endpoint_name","revision")
);
--> statement-breakpoint
CREATE TABLE "endpoints" (
	"name" text PRIMARY KEY NOT NULL,
	"current_revision" integer,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "serving_node_revisions" (
	"node" text NOT NULL,
	"endpoint_name" text NOT NULL,
	"revision" integer NOT NULL,
	"state" text NOT NULL,
	"detail" text,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "serving_node_revisions_node_endpoint_name_revision_pk" PRIMARY KEY("node","endpoint_name","revision")
);
--> statement-breakpoint
CREATE TABLE "serving_nodes" (
	"node" text PRIMARY KEY NOT NULL,
	"started_at" timestamp with time zone DEFAULT now() NOT NULL,
	"seen_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "idempotency_keys" (
	"route" text NOT NULL,
	"key" text NOT NULL,
	"body_sha256" text NOT NULL,
	"response_status" integer,
	"response_body" jsonb,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "idempotency_keys_route_key_pk" PRIMARY KEY("route","key")
);
--> statement-breakpoint
CREATE TABLE "alias_moves" (
	"id" bigserial PRIMARY KEY NOT NULL,
	"model_name" text NOT NULL,
	"alias" text NOT NULL,
	"from_version" integer,
	"to_version" integer NOT NULL,
	"run_id" text,
	"moved_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "model_aliases" (
	"model_name" text NOT NULL,
	"alias" text NOT NULL,
	"version" integer NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "model_aliases_model_name_alias_pk" PRIMARY KEY("model_name","alias")
);
--> statement-breakpoint
CREATE TABLE "model_versions" (
	"model_name" text NOT NULL,
	"version" integer NOT NULL,
	"run_id" text NOT NULL,
	"algorithm" text NOT NULL,
	"hyperparameters" json NOT NULL,
	"metrics" json NOT NULL,
	"gates_passed" boolean NOT NULL,
	"onnx_sha256" text NOT NULL,
	"onnx_bytes" integer NOT NULL,
	"evaluation_sha256" text NOT NULL,
	"reference_profile_sha256" text NOT NULL,
	"golden_rows_sha256" text NOT NULL,
	"signature" json NOT NULL,
	"input_example" json NOT NULL,
	"dataset_version_id" text NOT NULL,
	"dataset_sha256" text NOT NULL,
	"pipeline_name" text NOT NULL,
	"pipeline_version" integer NOT NULL,
	"definition_sha256" text NOT NULL,
	"code_commit" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "model_versions_model_name_version_pk" PRIMARY KEY("model_name","version")
);
--> statement-breakpoint
CREATE TABLE "models" (
	"name" text PRIMARY KEY NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "pipeline_versions" (
	"pipeline_name" text NOT NULL,
	"version" integer NOT NULL,
	"definition" json NOT NULL,
	"definition_sha256" text NOT NULL,
	"created_by" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "pipeline_versions_pipeline_name_version_pk" PRIMARY KEY("pipeline_name","version")
);
--> statement-breakpoint
CREATE TABLE "pipelines" (
	"name" text PRIMARY KEY NOT NULL,
	"latest_version" integer NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "runs" (
	"id" text PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"pipeline_name" text NOT NULL,
	"state" text NOT NULL,
	"status" json NOT NULL,
	"sequence" integer NOT NULL,
	"started_at" timestamp with time zone NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "dataset_tables" ADD CONSTRAINT "dataset_tables_dataset_version_id_dataset_versions_id_fk" FOREIGN KEY ("dataset_version_id") REFERENCES "public"."dataset_versions"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "dataset_versions" ADD CONSTRAINT "dataset_versions_dataset_name_datasets_name_fk" FOREIGN KEY ("dataset_name") REFERENCES "public"."datasets"("name") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "endpoint_revisions" ADD CONSTRAINT "endpoint_revisions_endpoint_name_endpoints_name_fk" FOREIGN KEY ("endpoint_name") REFERENCES "public"."endpoints"("name") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "serving_node_revisions" ADD CONSTRAINT "serving_node_revisions_node_serving_nodes_node_fk" FOREIGN KEY ("node") REFERENCES "public"."serving_nodes"("node") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "model_aliases" ADD CONSTRAINT "model_aliases_model_name_models_name_fk" FOREIGN KEY ("model_name") REFERENCES "public"."models"("name") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "model_versions" ADD CONSTRAINT "model_versions_model_name_models_name_fk" FOREIGN KEY ("model_name") REFERENCES "public"."models"("name") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "pipeline_versions" ADD CONSTRAINT "pipeline_versions_pipeline_name_pipelines_name_fk" FOREIGN KEY ("pipeline_name") REFERENCES "public"."pipelines"("name") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "dataset_versions_content_key" ON "dataset_versions" USING btree ("dataset_name","sha256","format");--> statement-breakpoint
CREATE UNIQUE INDEX "endpoint_revisions_run_key" ON "endpoint_revisions" USING btree ("endpoint_name","run_id");--> statement-breakpoint
CREATE UNIQUE INDEX "model_versions_run_key" ON "model_versions" USING btree ("run_id");--> statement-breakpoint
CREATE INDEX "runs_started_at_index" ON "runs" USING btree ("started_at","id");--> statement-breakpoint
CREATE INDEX "runs_pipeline_index" ON "runs" USING btree ("pipeline_name","started_at");