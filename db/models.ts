import { and, asc, desc, eq, gt, isNotNull, lt, max, or, sql } from 'drizzle-orm';
import { notFound, PlatformError } from '../lib/errors.ts';
import type { Database, Queries } from './connect.ts';
import { createAliasRepository } from './model-aliases.ts';
import { type Page, type PageRequest, readCursor, toPage } from './pagination.ts';
import { models, modelVersions, type ModelVersion } from './schema/models.ts';

/** Of a version that a run made nothing is unknown. */
type MadeByRun = {
  [Column in keyof ModelVersion]: Column extends 'importedBy'
    ? ModelVersion[Column]
    : NonNullable<ModelVersion[Column]>;
};
export type RegisterVersionInput = Omit<MadeByRun, 'version' | 'createdAt' | 'importedBy'>;
export type ImportVersionInput = Pick<
  MadeByRun,
  'modelName' | 'onnxSha256' | 'onnxBytes' | 'goldenRowsSha256' | 'signature' | 'inputExample'
> & { readonly importedBy: string };
export interface RegisteredVersion {
  readonly name: string;
  readonly version: number;
  readonly created: boolean;
}
export interface ModelSummary {
  readonly name: string;
  readonly latestVersion: number;
  readonly createdAt: Date;
}
export type ModelRepository = ReturnType<typeof createModelRepository>;

export function createModelRepository(db: Database) {
  const aliases = createAliasRepository(db);

  /** Throws NOT_FOUND. */
  const getVersion = async (name: string, version: number): Promise<ModelVersion> => {
    const [row] = await db.select().from(modelVersions).where(isVersion(name, version));
    if (!row) throw notFound('model version', `${name}/${version}`);
    return row;
  };
  /** Throws NOT_FOUND. */
  const getByAlias = async (name: string, alias: string) => getVersion(name, await aliases.versionOf(name, alias));

  return {
    ...aliases,
    getVersion,
    getByAlias,

    /** Idempotent by run id. Numbers have no gaps. Throws CONFLICT when the run registered another model. */
    registerVersion: (input: RegisterVersionInput): Promise<RegisteredVersion> =>
      db.transaction(async (tx) => {
        const name = input.modelName;
        await tx.insert(models).values({ name }).onConflictDoNothing();
        // Whoever holds the model's row gives the next number.
        await tx.select().from(models).where(eq(models.name, name)).for('update');
        const [existing] = await tx.select().from(modelVersions).where(eq(modelVersions.runId, input.runId));
        if (existing) return repeated(existing, name);
        const version = (await latestVersion(tx, name)) + 1;
        await tx.insert(modelVersions).values({ ...input, version, createdAt: new Date() });
        return { name, version, created: true };
      }),

    /** Idempotent by file: one that the model has already, whoever made it, stays the version it is. */
    importVersion: (input: ImportVersionInput): Promise<RegisteredVersion> =>
      db.transaction(async (tx) => {
        const { modelName: name, onnxSha256 } = input;
        await tx.insert(models).values({ name }).onConflictDoNothing();
        await tx.select().from(models).where(eq(models.name, name)).for('update');
        const existing = await versionOfFile(tx, name, onnxSha256);
        if (existing) return { name, version: existing.version, created: false };
        const version = (await latestVersion(tx, name)) + 1;
        await tx
          .insert(modelVersions)
          .values({ ...input, version, hyperparameters: {}, metrics: {}, createdAt: new Date() });
        return { name, version, created: true };
      }),

    /** The oldest version of a model with that file; null when there is none. */
    versionOfFile: (name: string, onnxSha256: string) => versionOfFile(db, name, onnxSha256),

    /** Models by name. */
    list: async ({ limit, cursor }: PageRequest): Promise<Page<ModelSummary>> => {
      const after = readCursor(cursor, ['text']);
      const rows = await selectSummaries(db)
        .where(after ? gt(models.name, after[0]) : undefined)
        .groupBy(models.name)
        .orderBy(asc(models.name))
        .limit(limit + 1);
      return toPage(rows.map(toSummary), limit, (row) => [row.name]);
    },

    /** Throws NOT_FOUND. */
    get: async (name: string): Promise<ModelSummary> => {
      const [row] = await selectSummaries(db).where(eq(models.name, name)).groupBy(models.name);
      if (!row) throw notFound('model', name);
      return toSummary(row);
    },

    /** Newest first. Throws NOT_FOUND for an unknown model. */
    listVersions: async (name: string, { limit, cursor }: PageRequest): Promise<Page<ModelVersion>> => {
      const after = readCursor(cursor, ['integer']);
      const rows = await db
        .select()
        .from(modelVersions)
        .where(and(eq(modelVersions.modelName, name), after ? lt(modelVersions.version, after[0]) : undefined))
        .orderBy(desc(modelVersions.version))
        .limit(limit + 1);
      if (rows.length === 0 && !after) throw notFound('model', name);
      return toPage(rows, limit, (row) => [row.version]);
    },

    /** The version with the best test-split metric, the newest among equals. Throws NOT_FOUND when none has the metric. */
    best: async (name: string, metric: string, direction: 'max' | 'min'): Promise<ModelVersion> => {
      const value = sql`(${modelVersions.metrics}->>${metric})::float8`;
      const [row] = await db
        .select()
        .from(modelVersions)
        .where(and(eq(modelVersions.modelName, name), isNotNull(value)))
        .orderBy(direction === 'max' ? desc(value) : asc(value), desc(modelVersions.version))
        .limit(1);
      if (!row) throw notFound('model with metric', `${name}/${metric}`);
      return row;
    },

    /** Versions of any model that one algorithm trained, newest first. */
    byAlgorithm: async (algorithm: string, { limit, cursor }: PageRequest): Promise<Page<ModelVersion>> => {
      const after = readCursor(cursor, ['time', 'text']);
      const { createdAt, runId } = modelVersions;
      const rows = await db
        .select()
        .from(modelVersions)
        .where(
          and(
            eq(modelVersions.algorithm, algorithm),
            after ? or(lt(createdAt, after[0]), and(eq(createdAt, after[0]), lt(runId, after[1]))) : undefined,
          ),
        )
        .orderBy(desc(createdAt), desc(runId))
        .limit(limit + 1);
      return toPage(rows, limit, (row) => [row.createdAt, row.runId!]); // only a run knows its algorithm
    },

    /** `models:/<name>@<alias>` or `models:/<name>/<version>`. Throws INVALID for another form, NOT_FOUND. */
    resolve: async (uri: string): Promise<ModelVersion> => {
      const match = /^models:\/([^/@]+)(?:@([^/@]+)|\/([1-9]\d{0,8}))$/.exec(uri);
      if (!match) {
        throw new PlatformError('INVALID', `'${uri}' is not models:/<name>@<alias> or models:/<name>/<version>`);
      }
      const [, name, alias, version] = match;
      return alias === undefined ? getVersion(name!, Number(version)) : getByAlias(name!, alias);
    },
  };
}

const isVersion = (name: string, version: number) =>
  and(eq(modelVersions.modelName, name), eq(modelVersions.version, version));

const selectSummaries = (db: Database) =>
  db
    .select({ name: models.name, createdAt: models.createdAt, latestVersion: max(modelVersions.version) })
    .from(models)
    .innerJoin(modelVersions, eq(modelVersions.modelName, models.name));

// The join leaves no model without a version.
const toSummary = <Row extends { readonly latestVersion: number | null }>(row: Row) => ({
  ...row,
  latestVersion: row.latestVersion!,
});

async function versionOfFile(tx: Queries, name: string, onnxSha256: string): Promise<ModelVersion | null> {
  const [row] = await tx
    .select()
    .from(modelVersions)
    .where(and(eq(modelVersions.modelName, name), eq(modelVersions.onnxSha256, onnxSha256)))
    .orderBy(asc(modelVersions.version))
    .limit(1);
  return row ?? null;
}

async function latestVersion(tx: Queries, name: string): Promise<number> {
  const [row] = await tx
    .select({ version: max(modelVersions.version) })
    .from(modelVersions)
    .where(eq(modelVersions.modelName, name));
  return row?.version ?? 0;
}

function repeated(existing: ModelVersion, name: string): RegisteredVersion {
  if (existing.modelName === name) return { name, version: existing.version, created: false };
  throw new PlatformError('CONFLICT', `run '${existing.runId}' already registered model '${existing.modelName}'`);
}
