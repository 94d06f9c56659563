CREATE TABLE "access_revision" (
	"single" boolean PRIMARY KEY DEFAULT true NOT NULL,
	"revision" bigint NOT NULL,
	CONSTRAINT "access_revision_single" CHECK ("access_revision"."single")
);

--> statement-breakpoint
INSERT INTO "access_revision" ("revision") VALUES (1);
--> statement-breakpoint
CREATE FUNCTION note_access_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE access_revision SET revision = revision + 1;
  PERFORM pg_notify('access', '');
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER users_access AFTER INSERT OR DELETE OR TRUNCATE OR UPDATE OF "name", "role", "disabled", "token_version" ON "users" FOR EACH STATEMENT EXECUTE FUNCTION note_access_change();
--> statement-breakpoint
CREATE TRIGGER api_keys_access AFTER INSERT OR DELETE OR TRUNCATE OR UPDATE OF "id", "user_name", "name", "secret_sha256", "scopes", "endpoints", "expires_at", "revoked_at" ON "api_keys" FOR EACH STATEMENT EXECUTE FUNCTION note_access_change();
