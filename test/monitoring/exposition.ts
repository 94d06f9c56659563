export interface Exposed {
  readonly type: string;
  /** Names of the labels of its samples; null when it has none now. */
  readonly labels: ReadonlySet<string> | null;
}

const ADDED = ['service', 'process', 'le']; // to every metric, to gauges of several processes, to buckets

/** The metrics of a Prometheus text by name. */
export function readExposition(text: string): Map<string, Exposed> {
  const metrics = new Map<string, Exposed>();
  for (const [, name, type] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
    const family = type === 'histogram' ? `${name}(?:_bucket|_sum|_count)` : name!;
    const samples = [...text.matchAll(new RegExp(`^${family}(?:\\{(.*)\\})? \\S+$`, 'gm'))];
    const labels = samples.flatMap(([, inside = '']) => [...inside.matchAll(/(\w+)="/g)].map(([, label]) => label!));
    const own = new Set(labels.filter((label) => !ADDED.includes(label)));
    metrics.set(name!, { type: type!, labels: samples.length === 0 ? null : own });
  }
  return metrics;
}

/** The metrics of the table in docs/metrics.md. */
export function readTable(
  markdown: string,
): Map<string, { readonly type: string; readonly labels: ReadonlySet<string> }> {
  const rows = [...markdown.matchAll(/^\| `(\w+)` *\| (\w+) *\|[^|]*\|([^|]*)\|/gm)];
  return new Map(
    rows.map(([, name, type, labels]) => [
      name!,
      { type: type!, labels: new Set([...labels!.matchAll(/`(\w+)`/g)].map(([, label]) => label!)) },
    ]),
  );
}
