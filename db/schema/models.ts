import { sql } from 'drizzle-orm';
import {
  bigserial,
  boolean,
  check,
  integer,
  json,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uniqueIndex,
} from 'drizzle-orm/pg-core';
import type { ModelSignature, RawRow } from '../../ml/signature.ts';

export const models = pgTable('models', {
  name: text().primaryKey(),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
});

export const modelVersions = pgTable(
  'model_versions',
  {
    modelName: text('model_name')
      .notNull()
      .references(() => models.name),
    version: integer().notNull(),
    /** null for a version that was brought from outside: what only a run knows is null then, too. */
    runId: text('run_id'),
    algorithm: text(),
    hyperparameters: json().$type<Record<string, number | string>>().notNull(),
    /** Test-split metrics of the registered candidate. */
    metrics: json().$type<Record<string, number>>().notNull(),
    /** Did every gate hold? The alias `production` moves by itself only if so; null when no gate was tried. */
    gatesPassed: boolean('gates_passed'),
    onnxSha256: text('onnx_sha256').notNull(),
    onnxBytes: integer('onnx_bytes').notNull(),
    /** Full evaluation report (curves, confusion matrix, gates, comparison with production). */
    evaluationSha256: text('evaluation_sha256'),
    referenceProfileSha256: text('reference_profile_sha256'),
    goldenRowsSha256: text('golden_rows_sha256').notNull(),
    /** What answers are explained with; null for a version without, such as one from outside. */
    explainerSha256: text('explainer_sha256'),
    signature: json().$type<ModelSignature>().notNull(),
    inputExample: json('input_example').$type<RawRow>().notNull(),
    datasetVersionId: text('dataset_version_id'),
    datasetSha256: text('dataset_sha256'),
    pipelineName: text('pipeline_name'),
    pipelineVersion: integer('pipeline_version'),
    definitionSha256: text('definition_sha256'),
    codeCommit: text('code_commit'),
    /** Who brought it; null for a version that a run made. */
    importedBy: text('imported_by'),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ columns: [table.modelName, table.version] }),
    // One version per run: this is what makes registerVersion safe to retry.
    uniqueIndex('model_versions_run_key').on(table.runId),
    // The same file brought again is the same version.
    uniqueIndex('model_versions_import_key')
      .on(table.modelName, table.onnxSha256)
      .where(sql`run_id is null`),
    check('model_versions_origin', sql`(run_id is null) = (imported_by is not null)`),
  ],
);
export type ModelVersion = typeof modelVersions.$inferSelect;

/** Movable pointers. Moves are compare-and-set on `version`. */
export const modelAliases = pgTable(
  'model_aliases',
  {
    modelName: text('model_name')
      .notNull()
      .references(() => models.name),
    alias: text().notNull(),
    version: integer().notNull(),
    updatedAt: timestamp('updated_at', { withTimezone: true }).notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.modelName, table.alias] })],
);

export const aliasMoves = pgTable('alias_moves', {
  id: bigserial({ mode: 'number' }).primaryKey(),
  modelName: text('model_name').notNull(),
  alias: text().notNull(),
  fromVersion: integer('from_version'),
  toVersion: integer('to_version').notNull(),
  runId: text('run_id'),
  movedAt: timestamp('moved_at', { withTimezone: true }).notNull().defaultNow(),
});
