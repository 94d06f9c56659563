import type { ErrorDetail } from '../../lib/errors.ts';
import type { InputColumn } from '../../ml/features.ts';
import type { ModelSignature } from '../../ml/signature.ts';
import { entityRule } from '../entity-rule.ts';
import { type ColumnRule, missing, ruleOf } from '../row-validator.ts';
import { createRowBuffers, layoutOf, type RowBuffers, type RowLayout } from '../scoring/row-buffers.ts';
import { type Datatype, datatypesOf, FP32 } from './datatypes.ts';
import { compileColumnFiller, compileFloatFiller, type Doubt } from './fill-column.ts';
import type { InferRequest } from './infer-request.ts';
import { refusal, refuse } from './refusal.ts';
import type { TensorInput } from './tensor-inputs.ts';
import { valuesOf } from './tensor-values.ts';

/** A feature of every row, as its values or as float32 in bytes; undefined when it was not sent. */
export type SentValues = readonly unknown[] | DataView | undefined;
/** Packs the rows of a request. Throws INVALID with one detail per wrong value, named `rows[3].age` as in JSON rows. */
export type RowFiller = (request: Pick<InferRequest, 'rows' | 'inputs'>) => {
  readonly buffers: RowBuffers;
  /** In the order of `loggedNames`. */
  readonly sent: readonly SentValues[];
};
type Signature = Pick<ModelSignature, 'inputs' | 'entity'>;

/** What the log keeps of a row: the features in the signature's order, then whom or what it is about. */
export const loggedNames = ({ inputs, entity }: Signature): readonly string[] => [
  ...inputs.map(({ name }) => name),
  ...(entity === undefined ? [] : [entity]),
];

const MAX_ERRORS = 100; // a wrong tensor repeats itself

/** Makes what packs rows for one signature. */
export function compileRowFiller(signature: Signature): RowFiller {
  const { inputs, entity } = signature;
  const layout = layoutOf(inputs);
  const columns = [
    ...inputs.map((input) => compileColumn(input, layout)),
    ...(entity === undefined ? [] : [entityColumn(entity)]),
  ];
  const names = new Set(loggedNames(signature));

  return ({ rows, inputs: tensors }) => {
    const buffers = createRowBuffers(layout, rows);
    const errors = tensors.filter(({ name }) => !names.has(name)).map(unknownColumn);
    const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
    const sent = columns.map(({ name, fill, leaveOut }) => {
      const tensor = byName.get(name);
      return tensor ? fill(tensor, buffers, rows, errors) : leaveOut(buffers, rows, errors);
    });
    if (errors.length > 0) throw refusal(errors.slice(0, MAX_ERRORS));
    return { buffers, sent };
  };
}

/** One tensor of a request, as it is checked, packed and logged. */
interface TensorColumn {
  readonly name: string;
  readonly fill: (tensor: TensorInput, buffers: RowBuffers, rows: number, errors: ErrorDetail[]) => SentValues;
  readonly leaveOut: (buffers: RowBuffers, rows: number, errors: ErrorDetail[]) => undefined;
}

/** Checked and packed nowhere, as in a JSON row. Bytes have no null: there the empty text is nobody. */
const entityColumn = (name: string): TensorColumn => ({
  name,
  fill: (tensor, _, rows, errors) => {
    if (tensor.datatype.kind === 'boolean') throw refuseKind(name, tensor, ['text', 'number']);
    const sent = valuesOf(tensor, rows).map((value) => (value === '' ? null : value));
    for (const [row, value] of sent.entries()) {
      if (value !== null) note(errors, row, name, entityRule(value));
    }
    return sent;
  },
  leaveOut: () => undefined,
});

function compileColumn(input: InputColumn, layout: RowLayout): TensorColumn {
  const { name, type, nullable } = input;
  const rule = ruleOf(input);
  const fillValues = compileColumnFiller(input, layout);
  const fillFloats = type === 'numeric' ? compileFloatFiller(input, layout) : null;
  const doubtInto =
    (errors: ErrorDetail[]): Doubt =>
    (row, value) => {
      note(errors, row, name, value === null ? missing(true, nullable) : rule(value));
    };

  return {
    name,
    fill: (tensor, buffers, rows, errors) => {
      requireKind(input, tensor);
      const { datatype, data } = tensor;
      if (fillFloats && datatype === FP32 && data instanceof DataView) {
        fillFloats(buffers, data, doubtInto(errors));
        return data;
      }
      const sent = valuesOf(tensor, rows);
      const values = type === 'boolean' && datatype.kind === 'number' ? sent.map(asBoolean) : sent;
      fillValues(buffers, values, doubtInto(errors));
      return values;
    },
    leaveOut: (buffers, rows, errors) => {
      const broken = missing(false, nullable);
      if (broken) errors.push({ path: name, ...broken });
      else fillValues(buffers, new Array<null>(rows).fill(null), doubtInto(errors));
    },
  };
}

function note(errors: ErrorDetail[], row: number, name: string, broken: ReturnType<ColumnRule>): void {
  if (broken && errors.length < MAX_ERRORS) errors.push({ path: `rows[${row}].${name}`, ...broken });
}

const asBoolean = (value: unknown) => (value === 1 ? true : value === 0 ? false : value);

const unknownColumn = ({ path, name }: TensorInput): ErrorDetail => ({
  path: `${path}.name`,
  rule: 'unknown_column',
  message: `'${name}' is not a feature of the model`,
});

// Missing booleans have no other way into a numpy array, nor so into tritonclient, than as NaN beside 0 and 1.
const KINDS: Readonly<Record<InputColumn['type'], readonly Datatype['kind'][]>> = {
  numeric: ['number'],
  categorical_integer: ['number'],
  boolean: ['boolean', 'number'],
  categorical_string: ['text'],
};

function requireKind({ name, type }: InputColumn, tensor: TensorInput): void {
  if (!KINDS[type].includes(tensor.datatype.kind)) throw refuseKind(name, tensor, KINDS[type]);
}

function refuseKind(name: string, { path }: TensorInput, kinds: readonly Datatype['kind'][]) {
  return refuse(`${path}.datatype`, 'datatype', `of '${name}' must be ${kinds.flatMap(datatypesOf).join(', ')}`);
}
