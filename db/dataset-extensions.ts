import { and, eq, sql } from 'drizzle-orm';
import { notFound } from '../lib/errors.ts';
import type { Connection } from './connect.ts';
import { datasetVersions, type DatasetVersion } from './schema/datasets.ts';
import { modelVersions } from './schema/models.ts';
import { datasetExtensions } from './schema/retrainings.ts';

const ROWS_PER_FETCH = 1000;

export const createDatasetExtensionRepository = ({ db, sql: postgres }: Pick<Connection, 'db' | 'sql'>) => ({
  /** The dataset version that a model version was trained on; of an extended one, what it extends. Throws NOT_FOUND. */
  trainedOn: async (model: string, version: number): Promise<DatasetVersion> => {
    const [row] = await db
      .select({ dataset: datasetVersions })
      .from(modelVersions)
      .leftJoin(datasetExtensions, eq(datasetExtensions.datasetVersionId, modelVersions.datasetVersionId))
      .innerJoin(
        datasetVersions,
        eq(datasetVersions.id, sql`coalesce(${datasetExtensions.baseVersionId}, ${modelVersions.datasetVersionId})`),
      )
      .where(and(eq(modelVersions.modelName, model), eq(modelVersions.version, version)));
    if (!row) throw notFound('dataset of model version', `${model}/${version}`);
    return row.dataset;
  },

  recordExtension: async (extension: typeof datasetExtensions.$inferInsert): Promise<void> => {
    await db.insert(datasetExtensions).values(extension).onConflictDoNothing();
  },

  /**
   * The endpoint's predictions that have a label, in the order of their arrival: features and, as `target`, the label, as
   * lines of JSON. Predictions that are deleted already have none.
   */
  labelledLines: async function* (endpoint: string, target: string): AsyncGenerator<readonly string[]> {
    const found = postgres<{ line: string }[]>`
      select (p.features || jsonb_build_object(${target}::text, l.label))::text as line
      from labels l join predictions p on p.created_at = l.predicted_at and p.id = l.prediction_id
      where l.endpoint = ${endpoint}
      order by l.position`;
    for await (const rows of found.cursor(ROWS_PER_FETCH)) yield rows.map(({ line }) => line);
  },
});
