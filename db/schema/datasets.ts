import { bigint, integer, json, pgTable, primaryKey, text, timestamp, uniqueIndex } from 'drizzle-orm/pg-core';

export const datasets = pgTable('datasets', {
  name: text().primaryKey(),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
});

/** The source bytes as they came in. */
export const datasetVersions = pgTable(
  'dataset_versions',
  {
    /** ds_<UTC timestamp>_<first 12 hex of SHA-256> */
    id: text().primaryKey(),
    datasetName: text('dataset_name')
      .notNull()
      .references(() => datasets.name),
    sha256: text().notNull(),
    bytes: bigint({ mode: 'number' }).notNull(),
    format: text({ enum: ['csv', 'parquet', 'ndjson'] }).notNull(),
    createdBy: text('created_by').notNull(),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
  },
  // Same content = same version: a repeated upload or a retried activity finds the first one. The same bytes read as
  // another format are other rows, so a file sent with the wrong format can be sent again.
  (table) => [uniqueIndex('dataset_versions_content_key').on(table.datasetName, table.sha256, table.format)],
);
export type DatasetVersion = typeof datasetVersions.$inferSelect;

/** A dataset version read through one pipeline's contract: typed Parquet and its profile. */
export const datasetTables = pgTable(
  'dataset_tables',
  {
    datasetVersionId: text('dataset_version_id')
      .notNull()
      .references(() => datasetVersions.id),
    /** SHA-256 of the definition the contract came from. */
    definitionSha256: text('definition_sha256').notNull(),
    parquetSha256: text('parquet_sha256').notNull(),
    rows: integer().notNull(),
    profile: json().notNull(),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.datasetVersionId, table.definitionSha256] })],
);
export type DatasetTable = typeof datasetTables.$inferSelect;
