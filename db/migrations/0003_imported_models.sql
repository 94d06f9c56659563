ALTER TABLE "model_versions" ALTER COLUMN "run_id" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "model_versions" ALTER COLUMN "algorithm" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "model_versions" ALTER COLUMN "gates_passed" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "model_versions" ALTER COLUMN "evaluation_sha256" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "model_versions" ALTER COLUMN "reference_profile_sha256" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "model_versions" ALTER COLUMN "dataset_version_id" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "model_versions" ALTER COLUMN "dataset_sha256" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "model_versions" ALTER COLUMN "pipeline_name" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "model_versions" ALTER COLUMN "pipeline_version" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "model_versions" ALTER COLUMN "definition_sha256" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "model_versions" ALTER COLUMN "code_commit" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "runs" ALTER COLUMN "pipeline_name" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "model_versions" ADD COLUMN "imported_by" text;--> statement-breakpoint
CREATE UNIQUE INDEX "model_versions_import_key" ON "model_versions" USING btree ("model_name","onnx_sha256") WHERE run_id is null;--> statement-breakpoint
ALTER TABLE "model_versions" ADD CONSTRAINT "model_versions_origin" CHECK ((run_id is null) = (imported_by is not null));