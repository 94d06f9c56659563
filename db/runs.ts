import { and, desc, eq, inArray, lt, notInArray, or, sql } from 'drizzle-orm';
import { notFound } from '../lib/errors.ts';
import type { JobKind, JobState, JobStatus } from '../workflows/messages.ts';
import type { Database } from './connect.ts';
import { type Page, type PageRequest, readCursor, toPage } from './pagination.ts';
import { runs, type Run } from './schema/runs.ts';

export interface RunFilter extends PageRequest {
  readonly kinds?: readonly JobKind[] | undefined;
  readonly pipeline?: string | undefined;
  readonly state?: JobState | undefined;
}
export type RunRepository = ReturnType<typeof createRunRepository>;

const FINAL: JobState[] = ['COMPLETED', 'FAILED', 'CANCELLED'];

export const createRunRepository = (db: Database) => ({
  /**
   * Stores a workflow's status; `sequence` counts up inside the workflow. Answers false, and changes nothing, when a
   * newer status is there already or a final one would become unfinished.
   */
  project: async ({
    status,
    sequence,
  }: {
    readonly status: JobStatus;
    readonly sequence: number;
  }): Promise<boolean> => {
    const values = {
      kind: status.kind,
      pipelineName: status.pipeline?.name ?? null,
      state: status.state,
      status,
      sequence,
      updatedAt: new Date(),
    };
    const comesBack = FINAL.includes(status.state) ? undefined : notInArray(runs.state, FINAL);
    const written = await db
      .insert(runs)
      .values({ id: status.job_id, startedAt: new Date(status.started_at), ...values })
      .onConflictDoUpdate({
        target: runs.id,
        set: values,
        setWhere: and(lt(runs.sequence, sql`excluded.sequence`), comesBack),
      })
      .returning({ id: runs.id });
    return written.length === 1;
  },

  /** Throws NOT_FOUND. */
  get: async (id: string): Promise<Run> => {
    const [run] = await db.select().from(runs).where(eq(runs.id, id));
    if (!run) throw notFound('run', id);
    return run;
  },

  /** Newest first by start; runs that start while someone pages do not shift the pages. */
  list: async ({ kinds, pipeline, state, limit, cursor }: RunFilter): Promise<Page<Run>> => {
    const after = readCursor(cursor, ['time', 'text']);
    const rows = await db
      .select()
      .from(runs)
      .where(
        and(
          kinds === undefined ? undefined : inArray(runs.kind, kinds),
          pipeline === undefined ? undefined : eq(runs.pipelineName, pipeline),
          state === undefined ? undefined : eq(runs.state, state),
          after
            ? or(lt(runs.startedAt, after[0]), and(eq(runs.startedAt, after[0]), lt(runs.id, after[1])))
            : undefined,
        ),
      )
      .orderBy(desc(runs.startedAt), desc(runs.id))
      .limit(limit + 1);
    return toPage(rows, limit, (run) => [run.startedAt, run.id]);
  },
});
