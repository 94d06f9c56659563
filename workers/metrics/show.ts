import { Gauge, type Registry } from 'prom-client';

export type Labels = Readonly<Record<string, string | number>>;
export type Sample = readonly [labels: Labels, value: number];

/** A gauge of what is there when it is asked; what is there no more has no series. */
export function show(
  registry: Registry,
  name: string,
  help: string,
  labelNames: readonly string[],
  samples: () => readonly Sample[],
): void {
  new Gauge({
    ...{ name, help, labelNames, registers: [registry] },
    collect() {
      this.reset();
      for (const [labels, value] of samples()) this.set(labels, value);
    },
  });
}

/** One sample with the named fields as its labels; none without a value. */
export const sample = <T extends object>(from: T, names: readonly string[], value: number | null): Sample[] => {
  const all = from as Readonly<Record<string, string | number>>;
  return value === null ? [] : [[Object.fromEntries(names.map((name) => [name, all[name]!])), value]];
};
