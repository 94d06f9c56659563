import {
  type Client,
  ScheduleAlreadyRunning,
  type ScheduleHandle,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
} from '@temporalio/client';
import type { PipelineVersion } from '../db/schema/pipelines.ts';
import { modelNameOf, type PipelineDefinition } from '../pipelines/definition.ts';
import { QUEUES, scheduleIdOf } from '../workflows/messages.ts';
import { visibility } from '../workflows/visibility.ts';
import { WORKFLOW_TYPES } from './job-engine.ts';

type Schedule = NonNullable<PipelineDefinition['schedule']>;
export type Schedules = ReturnType<typeof createSchedules>;

const CALL_MS = 5_000;

export const createSchedules = (client: Client) => ({
  /** Makes the pipeline's Temporal Schedule what its definition says: created, changed, or removed. Repeatable. */
  sync: (pipeline: PipelineVersion): Promise<void> =>
    client.withDeadline(Date.now() + CALL_MS, async () => {
      const scheduleId = scheduleIdOf(pipeline.pipelineName);
      const handle = client.schedule.getHandle(scheduleId);
      const { schedule } = pipeline.definition;
      if (!schedule) return await remove(handle);
      const settings = settingsOf(pipeline, schedule);
      try {
        await client.schedule.create({ scheduleId, ...settings });
      } catch (error) {
        if (!(error instanceof ScheduleAlreadyRunning)) throw error;
        // Whether an operator paused it is the operator's business.
        await handle.update(({ state }) => ({ ...settings, state }));
      }
    }),
});

async function remove(handle: ScheduleHandle): Promise<void> {
  try {
    await handle.delete();
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
  }
}

function settingsOf({ pipelineName, version, definition, definitionSha256 }: PipelineVersion, schedule: Schedule) {
  const input = {
    pipeline: { name: pipelineName, version },
    definition: definitionSha256,
    source: null,
    requested_by: 'schedule',
  };
  const model = modelNameOf(definition);
  return {
    spec: { cronExpressions: [schedule.cron], timezone: schedule.timezone },
    policies: {
      overlap: ScheduleOverlapPolicy.SKIP,
      catchupWindow: schedule.catchup_window_seconds * 1000,
    },
    action: {
      type: 'startWorkflow' as const,
      workflowType: WORKFLOW_TYPES.train_model,
      // Temporal adds the planned time.
      workflowId: `scheduled-${pipelineName}`,
      taskQueue: QUEUES.pipeline,
      args: [input],
      ...visibility({ input, model, kind: 'train_model', requestSha256: null }),
    },
  };
}
