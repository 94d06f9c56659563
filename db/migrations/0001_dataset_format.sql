DROP INDEX "dataset_versions_content_key";--> statement-breakpoint
CREATE UNIQUE INDEX "dataset_versions_content_key" ON "dataset_versions" USING btree ("dataset_name","sha256","format");