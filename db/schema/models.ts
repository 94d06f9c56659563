import {
  bigserial,
  boolean,
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
    runId: text('run_id').notNull(),
    algorithm: text().notNull(),
    hyperparameters: json().$type<Record<string, number | string>>().notNull(),
    /** Test-split metrics of the registered candidate. */
    metrics: json().$type<Record<string, number>>().notNull(),
    /** Did every gate hold? The alias `production` moves only if so. */
    gatesPassed: boolean('gates_passed').notNull(),
    onnxSha256: text('onnx_sha256').notNull(),
    onnxBytes: integer('onnx_bytes').notNull(),
    /** Full evaluation report (curves, confusion matrix, gates, comparison with production). */
    evaluationSha256: text('evaluation_sha256').notNull(),
    referenceProfileSha256: text('reference_profile_sha256').notNull(),
    goldenRowsSha256: text('golden_rows_sha256').notNull(),
    signature: json().$type<ModelSignature>().notNull(),
    inputExample: json('input_example').$type<RawRow>().notNull(),
    datasetVersionId: text('dataset_version_id').notNull(),
    datasetSha256: text('dataset_sha256').notNull(),
    pipelineName: text('pipeline_name').notNull(),
    pipelineVersion: integer('pipeline_version').notNull(),
    definitionSha256: text('definition_sha256').notNull(),
    codeCommit: text('code_commit').notNull(),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ columns: [table.modelName, table.version] }),
    // One version per run: this is what makes registerVersion safe to retry.
    uniqueIndex('model_versions_run_key').on(table.runId),
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
