import { and, asc, eq, lt, or, sql } from 'drizzle-orm';
import type { Database } from './connect.ts';
import { servingNodeRevisions, servingNodes, type ServingNodeRevision } from './schema/endpoints.ts';

export type NodeState = ServingNodeRevision['state'];

/** The serving processes' side of the deployment handshake. Times are the database's, so that clocks need not agree. */
export const createServingNodeRepository = (db: Database) => ({
  /**
   * Makes the node known, without what an earlier process of that name reported, and forgets nodes that were not seen
   * for a day (killed processes cannot say goodbye).
   */
  registerNode: async (node: string): Promise<void> => {
    const unseen = lt(servingNodes.seenAt, sql`now() - interval '1 day'`);
    await db.transaction(async (tx) => {
      await tx.delete(servingNodes).where(or(eq(servingNodes.node, node), unseen));
      await tx.insert(servingNodes).values({ node });
    });
  },

  /** False when the node is not registered (any more); its reports are gone then too. */
  heartbeatNode: async (node: string): Promise<boolean> => {
    const update = db.update(servingNodes).set({ seenAt: sql`now()` });
    return (await update.where(eq(servingNodes.node, node)).returning({ node: servingNodes.node })).length === 1;
  },

  /** Takes the node and its reports out of every handshake. */
  removeNode: async (node: string): Promise<void> => {
    await db.delete(servingNodes).where(eq(servingNodes.node, node));
  },

  /** The node's latest word on a revision; repeats overwrite. */
  reportRevision: async (
    node: string,
    endpoint: string,
    revision: number,
    state: NodeState,
    detail: string | null,
  ): Promise<void> => {
    const { node: nodeColumn, endpointName, revision: revisionColumn } = servingNodeRevisions;
    await db
      .insert(servingNodeRevisions)
      .values({ node, endpointName: endpoint, revision, state, detail })
      .onConflictDoUpdate({
        target: [nodeColumn, endpointName, revisionColumn],
        set: { state, detail, updatedAt: sql`now()` },
      });
  },

  /** Names of the nodes that gave a sign of life within the window, sorted. */
  liveNodes: async (withinMs = 5_000): Promise<string[]> => {
    const rows = await db
      .select({ node: servingNodes.node })
      .from(servingNodes)
      .where(sql`${servingNodes.seenAt} > now() - make_interval(secs => ${withinMs / 1000})`)
      .orderBy(asc(servingNodes.node));
    return rows.map((row) => row.node);
  },

  nodeStates: async (endpoint: string, revision: number): Promise<ServingNodeRevision[]> =>
    await db
      .select()
      .from(servingNodeRevisions)
      .where(and(eq(servingNodeRevisions.endpointName, endpoint), eq(servingNodeRevisions.revision, revision)))
      .orderBy(asc(servingNodeRevisions.node)),
});
