ALTER TABLE "pending_labels" DROP CONSTRAINT "pending_labels_key";--> statement-breakpoint
ALTER TABLE "pending_labels" ADD COLUMN "endpoints" text[];--> statement-breakpoint
ALTER TABLE "pending_labels" ADD CONSTRAINT "pending_labels_key" UNIQUE NULLS NOT DISTINCT("prediction_id","endpoint","entity","at","label","reported_by");