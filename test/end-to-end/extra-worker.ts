import type { WorkerRole } from '../../workflows/messages.ts';
import { ANY_PORT, type TestPlatform } from './platform.ts';
import { startAnneal, type AnnealProcess } from './processes.ts';

/** One more worker process for a running platform, once it is ready. It is not started again when it ends. */
export async function startExtraWorker(
  platform: TestPlatform,
  role: WorkerRole,
  settings: Record<string, string>,
): Promise<AnnealProcess> {
  const worker = startAnneal(`worker ${role}`, {
    ...process.env,
    ...ANY_PORT,
    ...settings,
    ANNEAL_HOME: platform.home,
    DATABASE_URL: platform.databaseUrl,
    TEMPORAL_ADDRESS: platform.temporalAddress,
  });
  await worker.said(/worker is ready/);
  return worker;
}
