import { and, asc, desc, eq, gt, or, sql } from 'drizzle-orm';
import { notFound } from '../lib/errors.ts';
import type { Database } from './connect.ts';
import { createEndpointRevisionRepository } from './endpoint-revisions.ts';
import { type Page, type PageRequest, readCursor, toPage } from './pagination.ts';
import { createServingNodeRepository } from './serving-nodes.ts';
import { endpointRevisions, endpoints, type EndpointRevision } from './schema/endpoints.ts';
import { modelVersions, type ModelVersion } from './schema/models.ts';

/** A model version as plain JSON: a serving process keeps it on disk. */
export type ServedModel = Omit<ModelVersion, 'createdAt'> & { readonly createdAt: string };
export interface WatchedRevision {
  readonly revision: number;
  /** Of the job that made the revision. */
  readonly runId: string;
  readonly traceparent: string | null;
  readonly model: ServedModel;
}
/** What a serving process should do about an endpoint: serve `current`, hold `next` (the newest prepared) ready. */
export interface WatchedEndpoint {
  readonly name: string;
  readonly current: WatchedRevision | null;
  readonly next: WatchedRevision | null;
}
export interface EndpointSummary {
  readonly name: string;
  readonly createdAt: Date;
  readonly current: EndpointRevision | null;
}
export type EndpointRepository = ReturnType<typeof createEndpointRepository>;

export const createEndpointRepository = (db: Database) => ({
  ...createEndpointRevisionRepository(db),
  ...createServingNodeRepository(db),

  /** Endpoints by name. */
  list: async ({ limit, cursor }: PageRequest): Promise<Page<EndpointSummary>> => {
    const after = readCursor(cursor, ['text']);
    const rows = await selectEndpoints(db)
      .where(after ? gt(endpoints.name, after[0]) : undefined)
      .orderBy(asc(endpoints.name))
      .limit(limit + 1);
    return toPage(rows.map(toSummary), limit, (row) => [row.name]);
  },

  /** Throws NOT_FOUND. */
  get: async (name: string): Promise<EndpointSummary> => {
    const [row] = await selectEndpoints(db).where(eq(endpoints.name, name));
    if (!row) throw notFound('endpoint', name);
    return toSummary(row);
  },

  /** The revision that is served; null before the first activation and for an unknown endpoint. */
  current: async (name: string): Promise<EndpointRevision | null> => {
    const [row] = await selectEndpoints(db).where(eq(endpoints.name, name));
    return row?.current ?? null;
  },

  /** Newest first. */
  revisions: async (name: string): Promise<EndpointRevision[]> =>
    await db
      .select()
      .from(endpointRevisions)
      .where(eq(endpointRevisions.endpointName, name))
      .orderBy(desc(endpointRevisions.revision)),

  /** Every endpoint with its current and its newest prepared revision, ordered by name. */
  watchState: async (): Promise<WatchedEndpoint[]> => {
    const rows = await db
      .select({ endpoint: endpoints, revision: endpointRevisions, model: modelVersions })
      .from(endpoints)
      .innerJoin(endpointRevisions, eq(endpointRevisions.endpointName, endpoints.name))
      .innerJoin(
        modelVersions,
        and(
          eq(modelVersions.modelName, endpointRevisions.modelName),
          eq(modelVersions.version, endpointRevisions.modelVersion),
        ),
      )
      .where(
        or(
          eq(endpointRevisions.revision, endpoints.currentRevision),
          and(
            eq(endpointRevisions.state, 'prepared'),
            gt(endpointRevisions.revision, sql`coalesce(${endpoints.currentRevision}, 0)`),
          ),
        ),
      )
      .orderBy(asc(endpoints.name), asc(endpointRevisions.revision));
    const watched = new Map<string, WatchedEndpoint>();
    for (const { endpoint, revision, model } of rows) {
      const { name, currentRevision } = endpoint;
      const known = watched.get(name) ?? { name, current: null, next: null };
      const { runId, traceparent } = revision;
      const seen = { revision: revision.revision, runId, traceparent, model: toServedModel(model) };
      watched.set(name, revision.revision === currentRevision ? { ...known, current: seen } : { ...known, next: seen });
    }
    return [...watched.values()];
  },
});

export const toServedModel = (row: ModelVersion): ServedModel => ({ ...row, createdAt: row.createdAt.toISOString() });

const selectEndpoints = (db: Database) =>
  db
    .select({ endpoint: endpoints, current: endpointRevisions })
    .from(endpoints)
    .leftJoin(
      endpointRevisions,
      and(
        eq(endpointRevisions.endpointName, endpoints.name),
        eq(endpointRevisions.revision, endpoints.currentRevision),
      ),
    );

const toSummary = ({
  endpoint,
  current,
}: {
  endpoint: typeof endpoints.$inferSelect;
  current: EndpointRevision | null;
}): EndpointSummary => ({ name: endpoint.name, createdAt: endpoint.createdAt, current });
