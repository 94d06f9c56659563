import { sql } from 'drizzle-orm';
import {
  bigint,
  doublePrecision,
  index,
  integer,
  jsonb,
  pgSequence,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uuid,
} from 'drizzle-orm/pg-core';
import type { RawRow } from '../../ml/signature.ts';

export const predictionPositions = pgSequence('prediction_positions');

/** Acknowledged predictions, partitioned by `created_at` into days (UTC): drizzle has no words for that, the migration has. */
export const predictions = pgTable(
  'predictions',
  {
    /** UUIDv7. */
    id: uuid().notNull(),
    /** The time in the id, so that an id alone names its row and its partition. */
    createdAt: timestamp('created_at', { withTimezone: true, precision: 3 }).notNull(),
    endpoint: text(),
    revision: integer(),
    model: text().notNull(),
    version: integer().notNull(),
    // Not `json` as elsewhere: what jsonb takes, every query on a feature can read.
    features: jsonb().$type<RawRow>().notNull(),
    /** Whom or what it is about, where the model's signature names a column for that. */
    entity: text(),
    probability: doublePrecision().notNull(),
    label: text().notNull(),
    decision: text().notNull(),
    latencyUs: integer('latency_us').notNull(),
    traceId: text('trace_id'),
    requestId: text('request_id').notNull(),
    caller: text().notNull(),
    /**
     * In the order of arrival here, over all days. While one statement adds rows it holds a shared lock (a trigger takes
     * it), so that who takes the lock alone knows that nothing can still appear at a position that was given out.
     */
    position: bigint({ mode: 'number' })
      .notNull()
      .default(sql`nextval('prediction_positions')`),
  },
  (table) => [
    primaryKey({ columns: [table.createdAt, table.id] }),
    index('predictions_endpoint_index').on(table.endpoint, table.createdAt),
    index('predictions_model_index').on(table.model, table.version, table.createdAt),
    index('predictions_entity_index')
      .on(table.endpoint, table.entity, table.createdAt)
      .where(sql`entity is not null`),
    index('predictions_position_index').on(table.endpoint, table.model, table.version, table.position),
  ],
);
export type Prediction = typeof predictions.$inferSelect;
