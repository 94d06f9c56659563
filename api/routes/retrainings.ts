import { z } from '@hono/zod-openapi';
import { requireEndpoint } from '../../auth/principal.ts';
import type { RetrainingRepository } from '../../db/retrainings.ts';
import type { Retraining as RetrainingRow } from '../../db/schema/retrainings.ts';
import { RETRAINING_CAUSES } from '../../pipelines/retraining-decision.ts';
import { declareRoute } from '../declare-route.ts';
import { JobId } from '../resources/job.ts';
import { Name } from '../resources/name.ts';
import { pageOf, pageQuery, toPageBody } from '../resources/page.ts';
import { json } from '../resources/problem.ts';
import { createRouter } from '../router.ts';

export interface RetrainingsDeps {
  readonly retrainings: Pick<RetrainingRepository, 'list'>;
}
const State = z.enum(['skipped', 'started', 'completed', 'failed']);
const Retraining = z
  .object({
    endpoint: z.string(),
    sequence: z.int().openapi({ description: 'Of the window that was looked at' }),
    model: z.object({ name: z.string(), version: z.int() }).openapi({ description: 'The version that has decayed' }),
    cause: z.enum(RETRAINING_CAUSES),
    detail: z.string().openapi({ example: 'age, plan drifted in windows 7, 8' }),
    windows: z.array(z.int()).openapi({ description: 'Those that show the cause, newest first' }),
    state: State.openapi({ description: 'Of the run; skipped when none was started' }),
    reason: z.string().nullable().openapi({
      description: 'Why no run was started, or why it failed',
      example: 'hysteresis: 1 of 2 windows',
    }),
    run_id: z.string().nullable(),
    dataset_version: z.string().nullable().openapi({ description: 'With labelled predictions; null without' }),
    labelled_rows: z.int().nullable(),
    new_version: z.int().nullable(),
    promoted: z.boolean(),
    created_at: z.iso.datetime(),
    ended_at: z.iso.datetime().nullable(),
  })
  .openapi('Retraining');

const listRetrainings = declareRoute(['data'], {
  method: 'get',
  path: '/',
  operationId: 'listRetrainings',
  description: 'Windows that spoke for training again, and what came of it. A run has the window in its `cause`.',
  tags: ['retrainings'],
  request: {
    query: pageQuery({ endpoint: Name.optional(), state: State.optional(), run_id: JobId.optional() }),
  },
  responses: { 200: json(pageOf(Retraining, 'RetrainingPage'), 'Newest first') },
});

export const retrainingRoutes = ({ retrainings }: RetrainingsDeps) =>
  createRouter().openapi(listRetrainings, async (c) => {
    const { run_id: runId, ...filter } = c.req.valid('query');
    requireEndpoint(c.get('principal'), filter.endpoint ?? null);
    return c.json(toPageBody(await retrainings.list({ ...filter, runId }), toRetraining), 200);
  });

const toRetraining = (row: RetrainingRow): z.infer<typeof Retraining> => ({
  endpoint: row.endpoint,
  sequence: row.sequence,
  model: { name: row.model, version: row.version },
  cause: row.cause,
  detail: row.detail,
  windows: [...row.windows],
  state: row.state,
  reason: row.reason,
  run_id: row.runId,
  dataset_version: row.datasetVersion,
  labelled_rows: row.labelledRows,
  new_version: row.newVersion,
  promoted: row.promoted,
  created_at: row.createdAt.toISOString(),
  ended_at: row.endedAt?.toISOString() ?? null,
});
