import { proxyActivities } from '@temporalio/workflow';

const { work } = proxyActivities<{ work: () => Promise<string> }>({ startToCloseTimeout: '1 minute' });

/** For telemetry.server.test.ts: the smallest workflow with an activity. */
export const traced = (): Promise<string> => work();
