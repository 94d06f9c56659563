import { and, asc, desc, eq, gt, lt } from 'drizzle-orm';
import { notFound } from '../lib/errors.ts';
import type { PipelineDefinition } from '../pipelines/definition.ts';
import type { Database } from './connect.ts';
import { type Page, type PageRequest, readCursor, toPage } from './pagination.ts';
import { pipelines, pipelineVersions, type PipelineVersion } from './schema/pipelines.ts';

export interface SavePipeline {
  readonly definition: PipelineDefinition;
  /** SHA-256 of the definition's canonical JSON. */
  readonly definitionSha256: string;
  readonly createdBy: string;
}
export interface SavedPipeline {
  readonly name: string;
  readonly version: number;
  readonly created: boolean;
}
export type PipelineRepository = ReturnType<typeof createPipelineRepository>;

const isLatest = and(
  eq(pipelineVersions.pipelineName, pipelines.name),
  eq(pipelineVersions.version, pipelines.latestVersion),
);

export const createPipelineRepository = (db: Database) => ({
  /** A definition equal to the latest one makes no new version. Concurrent saves get distinct versions. */
  saveVersion: (input: SavePipeline): Promise<SavedPipeline> =>
    db.transaction(async (tx) => {
      const { name } = input.definition;
      await tx.insert(pipelines).values({ name, latestVersion: 0 }).onConflictDoNothing();
      const [pipeline] = await tx.select().from(pipelines).where(eq(pipelines.name, name)).for('update');
      const latest = pipeline!.latestVersion;
      const [current] = await tx
        .select({ sha256: pipelineVersions.definitionSha256 })
        .from(pipelineVersions)
        .where(and(eq(pipelineVersions.pipelineName, name), eq(pipelineVersions.version, latest)));
      if (current?.sha256 === input.definitionSha256) return { name, version: latest, created: false };

      const version = latest + 1;
      await tx.insert(pipelineVersions).values({ pipelineName: name, version, ...input });
      await tx.update(pipelines).set({ latestVersion: version }).where(eq(pipelines.name, name));
      return { name, version, created: true };
    }),

  /** The latest version unless one is named. Throws NOT_FOUND. */
  get: async (name: string, version?: number): Promise<PipelineVersion> => {
    const wanted = version === undefined ? isLatest : eq(pipelineVersions.version, version);
    const [row] = await db
      .select({ version: pipelineVersions })
      .from(pipelineVersions)
      .innerJoin(pipelines, eq(pipelines.name, pipelineVersions.pipelineName))
      .where(and(eq(pipelineVersions.pipelineName, name), wanted));
    if (row) return row.version;
    throw version === undefined ? notFound('pipeline', name) : notFound('pipeline version', `${name}/${version}`);
  },

  /** The latest version of each pipeline, by name. */
  list: async ({ limit, cursor }: PageRequest): Promise<Page<PipelineVersion>> => {
    const after = readCursor(cursor, ['text']);
    const rows = await db
      .select({ version: pipelineVersions })
      .from(pipelines)
      .innerJoin(pipelineVersions, isLatest)
      .where(after ? gt(pipelines.name, after[0]) : undefined)
      .orderBy(asc(pipelines.name))
      .limit(limit + 1);
    return toPage(
      rows.map((row) => row.version),
      limit,
      (row) => [row.pipelineName],
    );
  },

  /** Newest first. Throws NOT_FOUND for an unknown pipeline. */
  listVersions: async (name: string, { limit, cursor }: PageRequest): Promise<Page<PipelineVersion>> => {
    const after = readCursor(cursor, ['integer']);
    const rows = await db
      .select()
      .from(pipelineVersions)
      .where(and(eq(pipelineVersions.pipelineName, name), after ? lt(pipelineVersions.version, after[0]) : undefined))
      .orderBy(desc(pipelineVersions.version))
      .limit(limit + 1);
    if (rows.length === 0 && !after) throw notFound('pipeline', name);
    return toPage(rows, limit, (row) => [row.version]);
  },
});
