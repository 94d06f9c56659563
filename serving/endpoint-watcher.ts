import { setTimeout as delay } from 'node:timers/promises';
import type { EndpointRepository, WatchedEndpoint } from '../db/endpoints.ts';
import type { Logger } from '../lib/log.ts';
import { repeat } from '../lib/repeat.ts';
import { createSubscription, type Listen } from '../lib/subscription.ts';
import type { RevisionReports } from './revision-reports.ts';

const GOODBYE_MS = 2_000;

export interface WatcherDeps {
  readonly node: string;
  readonly repository: Pick<EndpointRepository, 'registerNode' | 'heartbeatNode' | 'removeNode' | 'watchState'>;
  /** To changes of endpoints. */
  readonly listen: Listen;
  readonly reports: Pick<RevisionReports, 'flush' | 'forgetSent' | 'keepOnly'>;
  readonly onState: (endpoints: readonly WatchedEndpoint[]) => void | Promise<void>;
  readonly log: Pick<Logger, 'info' | 'warn'>;
  readonly heartbeatMs?: number;
  readonly pollMs?: number;
}
export type EndpointWatcher = ReturnType<typeof startEndpointWatcher>;

/**
 * Keeps this node's sign of life in the database and hears of endpoint changes: at once when notified, else by polling.
 * While the database is away it goes on trying; nothing that is served changes.
 */
export function startEndpointWatcher(deps: WatcherDeps) {
  const { node, repository, reports, onState, log, heartbeatMs = 1_000, pollMs = 2_000 } = deps;
  let reachable: boolean | null = null;

  const note = (now: boolean, error?: unknown) => {
    if (now === reachable) return;
    reachable = now;
    if (now) log.info('the database answers');
    else log.warn({ err: error }, 'the database is away; serving what is loaded');
  };
  const subscription = createSubscription(deps.listen, () => polling.wake());
  const beat = async () => {
    if (await repository.heartbeatNode(node)) return;
    await repository.registerNode(node);
    reports.forgetSent();
  };
  let beating: Promise<void> | null = null;
  const heartbeat = () => (beating ??= beat().finally(() => (beating = null)));
  const poll = async () => {
    try {
      // Reports refer to the node's row.
      await heartbeat();
      if (!subscription.isOpen() || !reachable) await subscription.renew();
      const endpoints = await repository.watchState();
      reports.keepOnly(endpoints);
      await onState(endpoints);
      await reports.flush();
      note(true);
    } catch (error) {
      note(false, error);
    }
    tried();
  };
  let tried = () => {};
  const firstTry = new Promise<void>((resolve) => (tried = resolve));

  const heart = repeat(() => heartbeat().catch((error: unknown) => note(false, error)), heartbeatMs);
  const polling = repeat(poll, pollMs);

  return {
    /** Did the database answer last time? null before the first answer. */
    reachable: () => reachable,
    /** When the database has answered, or failed to, once. */
    firstTry,
    /** Takes the node out of the handshake. Never throws: the database may be away. */
    stop: async (): Promise<void> => {
      const goodbye = async () => {
        await Promise.all([heart.stop(), polling.stop()]);
        await subscription.end();
        await repository.removeNode(node).catch(() => undefined);
      };
      // A database that hangs must not hold up the end of the process.
      await Promise.race([goodbye(), delay(GOODBYE_MS, undefined, { ref: false })]);
    },
  };
}
