import type { PreparedData, Sha256 } from './artifacts.ts';
import { heartbeating } from './heartbeat.ts';

export interface ReferenceInput {
  readonly prepared: PreparedData;
  readonly model: Sha256;
}
export interface MonitoringDeps {
  /** Runs in the thread pool. */
  readonly buildReference: (input: ReferenceInput, signal: AbortSignal) => Promise<Sha256>;
}
export type MonitoringActivities = ReturnType<typeof createMonitoringActivities>;

export const createMonitoringActivities = ({ buildReference }: MonitoringDeps) => ({
  /** Reference profile of a model version: its training data's profile and the distribution of its own predictions. */
  buildReferenceProfile: (input: ReferenceInput): Promise<Sha256> =>
    heartbeating((signal) => buildReference(input, signal)),
});
