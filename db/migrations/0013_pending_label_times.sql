-- A label of an entity waits for the newest prediction at or before a time, which was left out for when it was received.
UPDATE "pending_labels" SET "at" = "received_at" WHERE "prediction_id" IS NULL AND "at" IS NULL;
