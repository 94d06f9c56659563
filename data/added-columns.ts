import type { InputColumn } from '../ml/features.ts';

const ADDED = ['id', 'created_at', 'probability', 'label', 'decision', 'entity'] as const;
export type AddedColumns = Readonly<Record<(typeof ADDED)[number], string>>;

/** Names of what a table of predictions has besides features; one that a feature has, in any case, gets `_` at its end. */
export function addedColumns(inputs: readonly Pick<InputColumn, 'name'>[]): AddedColumns {
  const taken = new Set(inputs.map(({ name }) => name.toLowerCase()));
  const free = (name: string): string => (taken.has(name) ? free(`${name}_`) : name);
  return Object.fromEntries(ADDED.map((name) => [name, free(name)])) as AddedColumns;
}
