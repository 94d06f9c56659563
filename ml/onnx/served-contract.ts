import { z } from 'zod';
import type { ModelSignature } from '../signature.ts';
import { TYPE } from './graph.ts';
import { OUTPUTS } from './outputs.ts';
import { RefusedModel, type ReadModel, type ReadValueInfo } from './read.ts';

const Name = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/, 'letters, digits and underscores, at most 100, not starting with a digit')
  .refine((name) => name !== '__proto__', 'a name with another meaning');
const Column = z.strictObject({
  name: Name,
  type: z.enum(['numeric', 'boolean', 'categorical_string', 'categorical_integer']),
  nullable: z.boolean(),
});
const Answers = z
  .strictObject({ negative: z.string().min(1).max(200), positive: z.string().min(1).max(200) })
  .refine(({ negative, positive }) => negative !== positive, 'two different texts');
/** What the metadata entry `signature` of a model file must be, as JSON. */
const Signature = z.strictObject({
  inputs: z.array(Column).min(1).max(2000),
  entity: Name.optional(),
  classes: Answers,
  decision: Answers,
  threshold: z.number().min(0).max(1),
}) satisfies z.ZodType<ModelSignature>;

const ELEMENT = {
  numeric: 'float',
  boolean: 'float',
  categorical_string: 'string',
  categorical_integer: 'int64',
} as const;
const OUTPUT_ELEMENT = { label: 'string', probability: 'float', decision: 'string' } as const;

/**
 * The signature that a model file carries, if its graph is of the kind that is served: one [N, 1] input per raw column,
 * and the outputs `label`, `probability` and `decision`, each [N].
 * @throws RefusedModel
 */
export function servedSignature({ graph, metadataProps = [] }: ReadModel): ModelSignature {
  const entries = metadataProps.filter(({ key }) => key === 'signature');
  const [entry] = entries;
  if (entries.length !== 1 || entry?.value === undefined) {
    throw new RefusedModel('metadata_props', 'signature', 'has no entry `signature` that says what the model takes');
  }
  const signature = parseSignature(entry.value);
  const inputs = valuesByName(graph?.input, 'graph.input');
  for (const [index, { name, type }] of signature.inputs.entries()) {
    const path = `metadata_props.signature.inputs[${index}]`;
    const input = inputs.get(name);
    if (!input) throw new RefusedModel(path, 'input', `the graph has no input '${name}'`);
    const element = ELEMENT[type];
    if (isColumn(input.value, TYPE[element], 2)) continue;
    throw new RefusedModel(input.path, 'input', `'${name}' is ${type}: its input must be ${element} [N, 1]`);
  }
  const declared = new Set(signature.inputs.map(({ name }) => name));
  for (const [name, { path }] of inputs) {
    if (!declared.has(name)) throw new RefusedModel(path, 'input', 'is not in the signature');
  }
  requireOtherNames(signature);
  const outputs = valuesByName(graph?.output, 'graph.output');
  for (const name of OUTPUTS) {
    const output = outputs.get(name);
    const element = OUTPUT_ELEMENT[name];
    if (output && isColumn(output.value, TYPE[element], 1)) continue;
    throw new RefusedModel(output?.path ?? 'graph.output', 'output', `the output '${name}' must be ${element} [N]`);
  }
  return signature;
}

/** Column names of CSV and SQL, and so of the archives of windows, do not tell upper from lower case. */
function requireOtherNames({ inputs, entity }: ModelSignature): void {
  const taken = new Map<string, string>();
  const claim = (field: string, name: string) => {
    const holder = taken.get(name.toLowerCase());
    taken.set(name.toLowerCase(), name);
    if (holder === undefined) return;
    const message =
      holder === name ? `'${name}' is an input already` : `'${name}' and the input '${holder}' differ only in case`;
    throw new RefusedModel(`metadata_props.signature.${field}`, 'unique', message);
  };
  for (const [index, { name }] of inputs.entries()) claim(`inputs[${index}]`, name);
  if (entity !== undefined) claim('entity', entity);
}

function parseSignature(text: string): ModelSignature {
  const parsed = Signature.safeParse(parseJson(text));
  if (parsed.success) return { ...parsed.data, threshold: Math.fround(parsed.data.threshold) };
  const [issue] = parsed.error.issues;
  const path = ['metadata_props.signature', ...issue!.path.map(String)].join('.');
  throw new RefusedModel(path, 'signature', issue!.message);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new RefusedModel('metadata_props.signature', 'json', 'is not JSON');
  }
}

function valuesByName(values: readonly ReadValueInfo[] = [], list: string) {
  return new Map(values.map((value, index) => [value.name ?? '', { value, path: `${list}[${index}]` }]));
}

/** Is it a tensor of that type and rank with any number of rows, and one column? */
function isColumn({ type }: ReadValueInfo, element: number, rank: 1 | 2): boolean {
  const dims = type?.tensorType?.shape?.dim ?? [];
  const [rows, columns] = dims;
  return (
    type?.tensorType?.elemType === element &&
    dims.length === rank &&
    rows?.dimValue === undefined &&
    (rank === 1 || columns?.dimValue === 1)
  );
}
