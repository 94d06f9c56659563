import type { JobStatus } from '../workflows/messages.ts';

export interface ProjectionInput {
  readonly status: JobStatus;
  readonly sequence: number;
}
export interface ProjectionDeps {
  readonly project: (input: ProjectionInput) => Promise<void>;
}
export type ProjectionActivities = ReturnType<typeof createProjectionActivities>;

export const createProjectionActivities = ({ project }: ProjectionDeps) => ({
  /** Copies a job's status to Postgres. Harmless to repeat: an older sequence never overwrites a newer one. */
  recordStatus: (input: ProjectionInput): Promise<void> => project(input),
});
