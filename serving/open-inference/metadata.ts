import type { InputColumn } from '../../ml/features.ts';
import type { ServedSlot } from '../served-slot.ts';
import { OUTPUTS } from './requested-outputs.ts';

/** What a client should send; see `datatypes.ts` for what else is taken. */
const DATATYPE_OF = {
  numeric: 'FP32',
  boolean: 'BOOL',
  categorical_string: 'BYTES',
  categorical_integer: 'INT64',
} as const satisfies Record<InputColumn['type'], string>;

export const SERVER_METADATA = { name: 'anneal', version: '1', extensions: ['binary_tensor_data'] };

/** A model as clients of the protocol know it, by the name it was asked for. */
export const modelMetadata = (name: string, { model }: Pick<ServedSlot, 'model'>) => ({
  name,
  versions: [String(model.version)],
  platform: 'onnx_onnxv1',
  inputs: model.signature.inputs.map(({ name: input, type }) => ({
    name: input,
    datatype: DATATYPE_OF[type],
    shape: [-1, 1],
  })),
  outputs: Object.entries(OUTPUTS).map(([output, datatype]) => ({ name: output, datatype, shape: [-1] })),
});
