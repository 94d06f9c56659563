import { and, desc, eq, lt } from 'drizzle-orm';
import { notFound } from '../lib/errors.ts';
import type { Database } from './connect.ts';
import { holdEndpoint, type HeldEndpoint } from './held-endpoint.ts';
import { type Page, type PageRequest, readCursor, toPage } from './pagination.ts';
import { driftWindows } from './schema/drift.ts';
import { modelVersions } from './schema/models.ts';
import { type Retraining, retrainings } from './schema/retrainings.ts';

export interface RetrainingFilter extends PageRequest {
  readonly endpoint?: string | undefined;
  readonly state?: Retraining['state'] | undefined;
  readonly runId?: string | undefined;
}
/** The version whose predictions a window holds. */
export interface WindowVersion {
  readonly model: string;
  readonly version: number;
  readonly madeAt: Date;
  /** null for a version from outside. */
  readonly pipeline: string | null;
}
export type RetrainingRepository = ReturnType<typeof createRetrainingRepository>;

export const createRetrainingRepository = (db: Database) => ({
  /** What is done inside `work` is done by nobody else for this endpoint at that time, and all of it or nothing. */
  alone: <T>(endpoint: string, work: (held: HeldEndpoint) => Promise<T>): Promise<T> =>
    db.transaction(async (tx) => work(await holdEndpoint(tx, endpoint))),

  /** Throws NOT_FOUND. */
  windowVersion: async (endpoint: string, sequence: number): Promise<WindowVersion> => {
    const { modelName: model, version, createdAt: madeAt, pipelineName: pipeline } = modelVersions;
    const [row] = await db
      .select({ model, version, madeAt, pipeline })
      .from(driftWindows)
      .innerJoin(modelVersions, and(eq(model, driftWindows.model), eq(version, driftWindows.version)))
      .where(and(eq(driftWindows.endpoint, endpoint), eq(driftWindows.sequence, sequence)));
    if (!row) throw notFound('window', `${endpoint}/${sequence}`);
    return row;
  },

  /** Keeps what the run of a started retraining is trained on. */
  noteDataset: async (runId: string, dataset: Pick<Retraining, 'datasetVersion' | 'labelledRows'>): Promise<void> => {
    await db.update(retrainings).set(dataset).where(eq(retrainings.runId, runId));
  },

  /** Forgets windows from before `time` for which no run was started. Limits go by those for which one was. */
  dropSkippedBefore: async (time: Date): Promise<void> => {
    await db.delete(retrainings).where(and(eq(retrainings.state, 'skipped'), lt(retrainings.createdAt, time)));
  },

  /** Newest first. */
  list: async ({ endpoint, state, runId, limit, cursor }: RetrainingFilter): Promise<Page<Retraining>> => {
    const after = readCursor(cursor, ['integer']);
    const rows = await db
      .select()
      .from(retrainings)
      .where(
        and(
          endpoint === undefined ? undefined : eq(retrainings.endpoint, endpoint),
          state === undefined ? undefined : eq(retrainings.state, state),
          runId === undefined ? undefined : eq(retrainings.runId, runId),
          after ? lt(retrainings.id, after[0]) : undefined,
        ),
      )
      .orderBy(desc(retrainings.id))
      .limit(limit + 1);
    return toPage(rows, limit, ({ id }) => [id]);
  },
});
