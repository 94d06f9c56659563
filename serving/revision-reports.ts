import type { WatchedEndpoint } from '../db/endpoints.ts';
import type { NodeState } from '../db/serving-nodes.ts';

interface Report {
  readonly endpoint: string;
  readonly revision: number;
  readonly state: NodeState;
  readonly detail: string | null;
}
export type SendReport = (report: Report) => Promise<void>;
export type RevisionReports = ReturnType<typeof createRevisionReports>;

/** The node's latest word on each revision, kept until the database has it. */
export function createRevisionReports(send: SendReport) {
  const latest = new Map<string, Report>();
  const sent = new Map<string, Report>();
  let sending: Promise<void> = Promise.resolve();

  const flush = async () => {
    for (const [key, report] of latest) {
      if (sent.get(key) === report) continue;
      await send(report);
      sent.set(key, report);
    }
  };

  return {
    add: (endpoint: string, revision: number, state: NodeState, detail: string | null): void => {
      latest.set(`${endpoint}/${revision}`, { endpoint, revision, state, detail });
    },
    /** Sends what is new, one at a time and in order. Throws what `send` throws; the rest waits for the next flush. */
    flush: (): Promise<void> => (sending = sending.catch(() => undefined).then(flush)),
    /** The database lost them: all are new again. */
    forgetSent: (): void => sent.clear(),
    /** Drops reports on revisions that are neither current nor prepared any more. */
    keepOnly: (endpoints: readonly WatchedEndpoint[]): void => {
      const keys = endpoints.flatMap(({ name, current, next }) =>
        [current, next].flatMap((watched) => (watched ? [`${name}/${watched.revision}`] : [])),
      );
      const wanted = new Set(keys);
      for (const key of latest.keys()) {
        if (wanted.has(key)) continue;
        latest.delete(key);
        sent.delete(key);
      }
    },
  };
}
