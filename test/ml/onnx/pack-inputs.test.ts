/* eslint-disable @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-return -- messages are changed at any depth */
import protobuf from 'protobufjs/light.js';
import { expect, test } from 'vitest';
import descriptor from '../../../ml/onnx/onnx-ml.json' with { type: 'json' };
import { packInputs } from '../../../ml/onnx/pack-inputs.ts';
import { encode, FLOAT, floats, foreignModel, INT64, STRING, value, type Message } from './foreign-model.ts';

const modelType = protobuf.Root.fromJSON(descriptor).lookupType('onnx.ModelProto');
const decode = (bytes: Uint8Array): Message => modelType.toObject(modelType.decode(bytes), { longs: Number });
const LAYOUT = { numbers: ['age'], texts: ['plan'], integers: [] };
const column = (name: string, type: number) => value(name, type, [{ dimParam: 'N' }, { dimValue: 1 }]);

test('inputs of each type become one, split again before all else; the rest stays as it is', () => {
  const model = foreignModel();
  model.graph.input.push(column('zip', INT64), column('size', FLOAT));
  const layout = { numbers: ['size', 'age'], texts: ['plan'], integers: ['zip'] };
  const packed = decode(packInputs(encode(model), layout)!);
  expect(packed.graph.input).toEqual([
    value('/packed/numbers', FLOAT, [{ dimParam: 'N' }, { dimValue: 2 }]),
    value('/packed/texts', STRING, [{ dimParam: 'N' }, { dimValue: 1 }]),
    value('/packed/integers', INT64, [{ dimParam: 'N' }, { dimValue: 1 }]),
  ]);
  const splits = packed.graph.node.splice(0, 3);
  expect(splits.map(({ opType, output }: Message) => [opType, output])).toEqual([
    ['Split', ['size', 'age']],
    ['Split', ['plan']],
    ['Split', ['zip']],
  ]);
  packed.graph.initializer.splice(0, 3);
  const before = decode(encode(model));
  expect(packed).toEqual({ ...before, graph: { ...before.graph, input: packed.graph.input } });
});

test('bytes that no field of ours describes are kept, in front of the graph and behind it', () => {
  const unknown = Uint8Array.of(0xa2, 0x1f, 3, 1, 2, 3); // field 500
  const packed = packInputs(Buffer.concat([unknown, encode(foreignModel()), unknown]), LAYOUT)!;
  expect(packed.subarray(0, 6)).toEqual(Buffer.from(unknown));
  expect(packed.subarray(-6)).toEqual(Buffer.from(unknown));
  expect(decode(packed).graph.input).toHaveLength(2);
});

test.for<[string, (model: Message) => unknown]>([
  ['an opset without such a Split', (model) => (model.opsetImport[0].version = 12)],
  ['no opset', (model) => (model.opsetImport = [])],
  ['no graph', (model) => (model.graph = undefined)],
  ['an input more than the layout', ({ graph }) => graph.input.push(column('more', FLOAT))],
  ['an input less', ({ graph }) => graph.input.pop()],
  ['an input of another name', ({ graph }) => (graph.input[0].name = 'years')],
  ['an input twice', ({ graph }) => (graph.input[1] = graph.input[0])],
  ['an input of another type', ({ graph }) => (graph.input[0] = column('age', INT64))],
  [
    'an input of another shape',
    ({ graph }) => (graph.input[0] = value('age', FLOAT, [{ dimParam: 'N' }, { dimValue: 2 }])),
  ],
  ['a fixed number of rows', ({ graph }) => (graph.input[0] = value('age', FLOAT, [{ dimValue: 1 }, { dimValue: 1 }]))],
  ['a name that we would take', ({ graph }) => graph.initializer.push(floats('/packed/numbers', [1]))],
])('a file with %s is left alone', ([, change]) => {
  const model = foreignModel();
  expect(packInputs(encode(model), LAYOUT)).not.toBeNull();
  change(model);
  expect(packInputs(encode(model), LAYOUT)).toBeNull();
});

test('bytes that are no messages are left alone', () => {
  const onnx = encode(foreignModel());
  for (let length = 0; length < onnx.length; length++) {
    const cut = packInputs(onnx.subarray(0, length), LAYOUT);
    // Cut between two fields it is a model still, if the graph is complete.
    if (cut) expect(decode(cut).graph.node).toHaveLength(8);
  }
  for (let start = 0; start < 200; start++) packInputs(onnx.subarray(start), LAYOUT);
});
