import { setTimeout as delay } from 'node:timers/promises';
import { AggregatorRegistry, type Registry } from 'prom-client';
import type { Snapshot } from '../../lib/exposition.ts';

const ANSWER_MS = 1_000;
const COUNTED: readonly string[] = ['counter', 'histogram'];

/** A process whose metrics are asked for; it answers through `receive`, with the same round. */
export type AskMember = (round: number) => void;
export type SharedMetrics = ReturnType<typeof createSharedMetrics>;

/**
 * The metrics of several processes. Of one that does not answer, the last known ones are taken; what one that has ended
 * had counted stays counted, so that no sum goes down. `own` are those of this process.
 */
export function createSharedMetrics(own: Registry, answerMs = ANSWER_MS) {
  const members = new Map<AskMember, Snapshot>();
  const unanswered = new Set<AskMember>();
  let ended: Promise<Snapshot> = Promise.resolve([]);
  let round = 0;
  let all = () => {};
  let collecting: Promise<Snapshot[]> | null = null;

  const collect = async (): Promise<Snapshot[]> => {
    round++;
    const answered = new Promise<void>((resolve) => (all = resolve));
    for (const ask of members.keys()) {
      unanswered.add(ask);
      ask(round);
    }
    if (unanswered.size > 0) await Promise.race([answered, delay(answerMs, undefined, { ref: false })]);
    unanswered.clear();
    return [await ended, ofProcess(await own.getMetricsAsJSON(), 'primary'), ...members.values()];
  };
  const answered = (ask: AskMember) => {
    if (unanswered.delete(ask) && unanswered.size === 0) all();
  };

  return {
    add: (ask: AskMember): void => void members.set(ask, []),
    remove: (ask: AskMember): void => {
      const counted = (members.get(ask) ?? []).filter(({ type }) => COUNTED.includes(type as unknown as string));
      members.delete(ask);
      ended = ended.then((before) => AggregatorRegistry.aggregate([before, counted]).getMetricsAsJSON());
      answered(ask);
    },
    /** `name` tells the process from the others. */
    receive: (ask: AskMember, name: string, answeredRound: number, snapshot: Snapshot): void => {
      if (!members.has(ask)) return;
      members.set(ask, ofProcess(snapshot, name));
      if (answeredRound === round) answered(ask);
    },
    /** Of all processes, within `answerMs`. */
    collect: (): Promise<Snapshot[]> => (collecting ??= collect().finally(() => (collecting = null))),
  };
}

/** Counters and histograms of all processes summed, each bucket with its newest exemplar; gauges one by one. */
export async function sumOf(snapshots: readonly Snapshot[]): Promise<Snapshot> {
  const summed = await AggregatorRegistry.aggregate(snapshots as Snapshot[]).getMetricsAsJSON();
  const newest = new Map<string, Exemplar>();
  for (const value of snapshots.flat().flatMap(({ values }) => values as Bucket[])) {
    const key = value.exemplar && keyOf(value);
    if (key && !((newest.get(key)?.timestamp ?? 0) > value.exemplar.timestamp)) newest.set(key, value.exemplar);
  }
  if (newest.size === 0) return summed;
  return summed.map((metric) => {
    const values = (metric.values as Bucket[]).map((value) => ({ ...value, exemplar: newest.get(keyOf(value)) }));
    return { ...metric, values };
  });
}

/** What prom-client's types leave out. */
interface Exemplar {
  readonly timestamp: number;
}
type Bucket = Snapshot[number]['values'][number] & { readonly metricName?: string; readonly exemplar?: Exemplar };
const keyOf = ({ metricName, labels }: Bucket) => `${metricName} ${JSON.stringify(Object.entries(labels).sort())}`;

/** What counts is summed; a state belongs to its process, and says so. */
const ofProcess = (snapshot: Snapshot, process: string): Snapshot =>
  snapshot.map((metric) => {
    if (COUNTED.includes(metric.type as unknown as string)) return metric;
    const values = metric.values.map((value) => ({ ...value, labels: { ...value.labels, process } }));
    return { ...metric, values, aggregator: 'sum' };
  });
