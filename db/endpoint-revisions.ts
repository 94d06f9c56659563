import { and, desc, eq, gt, max, ne, sql } from 'drizzle-orm';
import { notFound, PlatformError } from '../lib/errors.ts';
import { createAuditLog } from './audit-log.ts';
import type { Database, Queries } from './connect.ts';
import { createAliasRepository, type MoveAlias } from './model-aliases.ts';
import { endpointRevisions, endpoints, type EndpointRevision } from './schema/endpoints.ts';

/** Serving processes LISTEN here; the payload is the endpoint's name. */
export const ENDPOINTS_CHANNEL = 'anneal_endpoints';

export interface PrepareInput {
  readonly endpoint: string;
  readonly runId: string;
  readonly modelName: string;
  readonly modelVersion: number;
  readonly traceparent: string | null;
}
export interface ActivateInput {
  readonly endpoint: string;
  readonly revision: number;
  readonly alias: MoveAlias;
  /** For the audit log. */
  readonly requestedBy: string;
}
export interface RevisionStatus {
  readonly state: EndpointRevision['state'];
  readonly detail: string | null;
  readonly supersededBy: number | null;
}

/** The writing side of the handshake: prepared → active, or failed. */
export const createEndpointRevisionRepository = (db: Database) => ({
  /** The next revision of the endpoint; the same run gets the revision it made before. */
  prepareRevision: async (input: PrepareInput): Promise<{ revision: number; created: boolean }> =>
    await db.transaction(async (tx) => {
      await tx.insert(endpoints).values({ name: input.endpoint }).onConflictDoNothing();
      await lockEndpoint(tx, input.endpoint);
      const revisions = await tx
        .select()
        .from(endpointRevisions)
        .where(eq(endpointRevisions.endpointName, input.endpoint))
        .orderBy(desc(endpointRevisions.revision));
      const earlier = revisions.find((row) => row.runId === input.runId);
      if (earlier) return { revision: sameModel(earlier, input).revision, created: false };
      const revision = (revisions[0]?.revision ?? 0) + 1;
      const { endpoint: endpointName, ...rest } = input;
      await tx.insert(endpointRevisions).values({ ...rest, endpointName, revision, state: 'prepared' });
      await notify(tx, input.endpoint);
      return { revision, created: true };
    }),

  /**
   * One transaction: the alias moves, the revision becomes active and current, the audit log says so. A repeat changes
   * nothing. CONFLICT when the alias is not at `from`, or the revision failed or is older than the current one.
   */
  activate: async ({ endpoint, revision, alias, requestedBy }: ActivateInput): Promise<{ activated: boolean }> =>
    await db.transaction(async (tx) => {
      const { currentRevision } = await lockEndpoint(tx, endpoint);
      const row = await findRevision(tx, endpoint, revision);
      if (row.state === 'active') return { activated: false };
      if (row.state === 'failed') throw conflict(`revision ${revision} of ${endpoint} failed: ${row.detail ?? ''}`);
      if (currentRevision !== null && currentRevision > revision)
        throw conflict(`${endpoint} already serves revision ${currentRevision}, newer than ${revision}`);
      if (row.modelName !== alias.modelName || row.modelVersion !== alias.to)
        throw conflict(`revision ${revision} of ${endpoint} holds ${row.modelName}/${row.modelVersion}`);
      await createAliasRepository(tx).moveAlias(alias);
      const own = and(eq(endpointRevisions.endpointName, endpoint), eq(endpointRevisions.revision, revision));
      await tx
        .update(endpointRevisions)
        .set({ state: 'active', activatedAt: sql`now()` })
        .where(own);
      await tx.update(endpoints).set({ currentRevision: revision }).where(eq(endpoints.name, endpoint));
      await notify(tx, endpoint);
      await createAuditLog(tx).append({
        actor: requestedBy,
        action: 'promote',
        object: `models/${alias.modelName}/versions/${alias.to}`,
        status: null,
        address: null,
        requestId: row.runId,
        detail: { endpoint, revision, alias: alias.alias, from_version: alias.from },
      });
      return { activated: true };
    }),

  /** Where a revision stands. `supersededBy`: the newest later revision that did not fail. Throws NOT_FOUND. */
  revisionStatus: async (endpoint: string, revision: number): Promise<RevisionStatus> => {
    const { state, detail } = await findRevision(db, endpoint, revision);
    const [later] = await db
      .select({ revision: max(endpointRevisions.revision) })
      .from(endpointRevisions)
      .where(
        and(
          eq(endpointRevisions.endpointName, endpoint),
          gt(endpointRevisions.revision, revision),
          ne(endpointRevisions.state, 'failed'),
        ),
      );
    return { state, detail, supersededBy: later?.revision ?? null };
  },

  /** Ends a prepared revision; one that is active, or failed before, stays as it is. */
  failRevision: async (endpoint: string, revision: number, detail: string): Promise<void> => {
    const prepared = and(
      eq(endpointRevisions.endpointName, endpoint),
      eq(endpointRevisions.revision, revision),
      eq(endpointRevisions.state, 'prepared'),
    );
    await db.transaction(async (tx) => {
      await tx.update(endpointRevisions).set({ state: 'failed', detail }).where(prepared);
      await notify(tx, endpoint);
    });
  },
});

async function lockEndpoint(tx: Queries, name: string) {
  const [row] = await tx.select().from(endpoints).where(eq(endpoints.name, name)).for('update');
  if (!row) throw notFound('endpoint', name);
  return row;
}

async function findRevision(tx: Queries, endpoint: string, revision: number): Promise<EndpointRevision> {
  const [row] = await tx
    .select()
    .from(endpointRevisions)
    .where(and(eq(endpointRevisions.endpointName, endpoint), eq(endpointRevisions.revision, revision)));
  if (!row) throw notFound('endpoint revision', `${endpoint}/${revision}`);
  return row;
}

function sameModel(row: EndpointRevision, { modelName, modelVersion, runId }: PrepareInput): EndpointRevision {
  if (row.modelName === modelName && row.modelVersion === modelVersion) return row;
  throw conflict(`run ${runId} already prepared revision ${row.revision} with ${row.modelName}/${row.modelVersion}`);
}

const notify = (tx: Queries, endpoint: string) => tx.execute(sql`select pg_notify(${ENDPOINTS_CHANNEL}, ${endpoint})`);
const conflict = (message: string) => new PlatformError('CONFLICT', message);
