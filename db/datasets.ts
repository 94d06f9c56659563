import { and, desc, eq, lt, or } from 'drizzle-orm';
import { notFound } from '../lib/errors.ts';
import type { Database } from './connect.ts';
import { type Page, type PageRequest, readCursor, toPage } from './pagination.ts';
import { datasets, datasetTables, datasetVersions, type DatasetTable, type DatasetVersion } from './schema/datasets.ts';

export interface RecordDatasetVersion {
  readonly datasetName: string;
  /** Lower-case hex SHA-256 of the source bytes, which the artifact store holds. */
  readonly sha256: string;
  readonly bytes: number;
  readonly format: DatasetVersion['format'];
  readonly createdBy: string;
  readonly now?: Date;
}
export type RecordDatasetTable = Omit<DatasetTable, 'createdAt'>;
export type DatasetRepository = ReturnType<typeof createDatasetRepository>;

export const createDatasetRepository = (db: Database) => ({
  /** The same content and format under the same name is the first version again, whoever recorded it. */
  recordVersion: async ({ now = new Date(), ...input }: RecordDatasetVersion): Promise<DatasetVersion> => {
    await db.insert(datasets).values({ name: input.datasetName }).onConflictDoNothing();
    const [created] = await db
      .insert(datasetVersions)
      .values({ id: datasetVersionId(input.sha256, now), createdAt: now, ...input })
      .onConflictDoNothing()
      .returning();
    const version = created ?? (await findByContent(db, input));
    if (version) return version;
    // The same content under two names or formats within one second: the id is taken, the next second's is not.
    return createDatasetRepository(db).recordVersion({ ...input, now: new Date(now.getTime() + 1000) });
  },

  /** Throws NOT_FOUND. */
  getVersion: async (id: string): Promise<DatasetVersion> => {
    const [version] = await db.select().from(datasetVersions).where(eq(datasetVersions.id, id));
    if (!version) throw notFound('dataset version', id);
    return version;
  },

  /** Dataset versions, newest first. */
  list: async ({ name, limit, cursor }: PageRequest & { readonly name?: string }): Promise<Page<DatasetVersion>> => {
    const after = readCursor(cursor, ['time', 'text']);
    const { createdAt, id, datasetName } = datasetVersions;
    const rows = await db
      .select()
      .from(datasetVersions)
      .where(
        and(
          name === undefined ? undefined : eq(datasetName, name),
          after ? or(lt(createdAt, after[0]), and(eq(createdAt, after[0]), lt(id, after[1]))) : undefined,
        ),
      )
      .orderBy(desc(createdAt), desc(id))
      .limit(limit + 1);
    return toPage(rows, limit, (row) => [row.createdAt, row.id]);
  },

  /** Idempotent by dataset version and definition: a repeat answers the first table. */
  recordTable: async (input: RecordDatasetTable): Promise<DatasetTable> => {
    const [created] = await db.insert(datasetTables).values(input).onConflictDoNothing().returning();
    return created ?? (await getTable(db, input.datasetVersionId, input.definitionSha256));
  },

  /** Throws NOT_FOUND when the version was not yet read through this definition. */
  getTable: (datasetVersionId: string, definitionSha256: string) => getTable(db, datasetVersionId, definitionSha256),

  /** Every table made from a dataset version, newest first. */
  listTables: (datasetVersionId: string): Promise<DatasetTable[]> =>
    db
      .select()
      .from(datasetTables)
      .where(eq(datasetTables.datasetVersionId, datasetVersionId))
      .orderBy(desc(datasetTables.createdAt)),
});

/** `ds_<UTC YYYYMMDDTHHMMSSZ>_<first 12 hex of SHA-256>` */
export const datasetVersionId = (sha256: string, now: Date) =>
  `ds_${now.toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z_${sha256.slice(0, 12)}`;

async function findByContent(db: Database, input: Pick<RecordDatasetVersion, 'datasetName' | 'sha256' | 'format'>) {
  const [version] = await db
    .select()
    .from(datasetVersions)
    .where(
      and(
        eq(datasetVersions.datasetName, input.datasetName),
        eq(datasetVersions.sha256, input.sha256),
        eq(datasetVersions.format, input.format),
      ),
    );
  return version;
}

async function getTable(db: Database, datasetVersionId: string, definitionSha256: string): Promise<DatasetTable> {
  const [table] = await db
    .select()
    .from(datasetTables)
    .where(
      and(eq(datasetTables.datasetVersionId, datasetVersionId), eq(datasetTables.definitionSha256, definitionSha256)),
    );
  if (!table) throw notFound('dataset table', `${datasetVersionId}/${definitionSha256}`);
  return table;
}
