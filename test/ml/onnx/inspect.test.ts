/* eslint-disable @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-return -- messages are changed at any depth */
import { expect, test } from 'vitest';
import { inspectOnnx } from '../../../ml/onnx/inspect.ts';
import { RefusedModel } from '../../../ml/onnx/read.ts';
import { servedSignature } from '../../../ml/onnx/served-contract.ts';
import {
  encode,
  filled,
  FLOAT,
  floats,
  foreignModel,
  graphAttribute,
  integers,
  nested,
  node,
  SIGNATURE,
  slow,
  STRING,
  tensorAttribute,
  value,
  type Message,
} from './foreign-model.ts';

const inspected = (bytes: Uint8Array) => servedSignature(inspectOnnx(bytes));
/** Where and by which rule a file is refused; null when it is not. */
function refusalOf(bytes: Uint8Array): string | null {
  try {
    inspected(bytes);
    return null;
  } catch (error) {
    expect(error).toBeInstanceOf(RefusedModel);
    const { path, rule } = error as RefusedModel;
    return `${path} ${rule}`;
  }
}
const changed = (change: (model: Message, graph: Message) => unknown) => {
  const model = foreignModel();
  change(model, model.graph as Message);
  return encode(model);
};
const field = (number: number, content: Uint8Array) =>
  Buffer.concat([varint(number * 8 + 2), varint(content.length), content]);
function varint(value: number | bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Buffer.from([...bytes, Number(rest)]);
}
const good = encode(foreignModel());

test('a file that keeps the rules is read with its signature', () => {
  expect(inspected(good)).toEqual(SIGNATURE);
  for (const model of [nested(4), filled([10, 10]), slow(3)]) expect(inspected(encode(model))).toEqual(SIGNATURE);
});

const external = { key: 'location', value: '/etc/passwd' };
const weight = { ...floats('weight', [0.01]), rawData: undefined };
const holding = (attribute: Message) => node('Constant', [], ['x'], attribute);
test.each<[string, string, (model: Message, graph: Message) => unknown]>([
  ['external data of an initializer', 'graph.initializer[0] external_data', (_, g) => (g.initializer[0] = { ...weight, externalData: [external] })],
  ['an initializer that only says its data is outside', 'graph.initializer[0] external_data', (_, g) => (g.initializer[0] = { ...weight, dataLocation: 1 })],
  ['external data of an attribute', 'graph.node[0].attribute[0].t external_data', (_, g) => g.node.unshift(holding(tensorAttribute('value', { ...weight, externalData: [external] })))],
  ['external data in a list of tensors', 'graph.node[0].attribute[0].tensors[1] external_data', (_, g) => g.node.unshift(holding({ name: 'v', type: 9, tensors: [floats('', [1]), { ...weight, externalData: [external] }] }))],
  ['external data in a subgraph', 'graph.node[0].attribute[0].g.initializer[0] external_data', (_, g) => g.node.unshift(node('If', ['c'], ['x'], graphAttribute('then_branch', { initializer: [{ ...weight, externalData: [external] }] })))],
  ['a sparse initializer', 'graph.sparse_initializer[0] sparse_tensor', (_, g) => (g.sparseInitializer = [{ values: { ...weight, externalData: [external] }, dims: [1] }])],
  ['a sparse attribute', 'graph.node[0].attribute[0] sparse_tensor', (_, g) => g.node.unshift(holding({ name: 's', type: 11, sparseTensor: { dims: [1] } }))],
  ['operators of another domain', 'graph.node[0] operator_domain', (_, g) => (g.node[0].domain = 'com.microsoft')],
  ['a domain that is a property of every object', 'graph.node[0] operator_domain', (_, g) => (g.node[0].domain = 'constructor')],
  ['an import of another domain', 'opset_import[1] operator_domain', (m) => (m.opsetImport[1].domain = 'ai.onnx.training')],
  ['a newer set of operators', 'opset_import[0] opset_version', (m) => (m.opsetImport[0].version = 99)],
  ['a newer format', 'ir_version ir_version', (m) => (m.irVersion = 99)],
  ['functions', 'functions[0] functions', (m) => (m.functions = [{ name: 'f' }])],
  ['attributes of functions', 'graph.node[0].attribute[0] functions', (_, g) => g.node.unshift(holding({ name: 'v', refAttrName: 'w' }))],
  ['training graphs', 'training_info[0] training_info', (m) => (m.trainingInfo = [{ initialization: { initializer: [{ ...weight, externalData: [external] }] } }])],
  ['a loop', 'graph.node[0] operator', (_, g) => g.node.unshift(node('Loop', ['trips', ''], ['x'], graphAttribute('body', {})))],
  ['texts put together', 'graph.node[0] operator', (_, g) => g.node.unshift(node('StringConcat', ['plan', 'plan'], ['x']))],
  ['random numbers', 'graph.node[0] operator', (_, g) => g.node.unshift(node('RandomNormal', [], ['x']))],
  ['a negative dimension', 'graph.initializer[0] tensor_shape', (_, g) => (g.initializer[0].dims = [-1])],
  ['dimensions whose product is huge', 'graph.initializer[0] tensor_shape', (_, g) => (g.initializer[0].dims = [2 ** 31, 2 ** 31, 2])],
  ['dimensions whose product is zero after all', 'graph.initializer[0] tensor_data', (_, g) => (g.initializer[0].dims = [2 ** 31, 0])],
  ['more dimensions than data', 'graph.initializer[0] tensor_data', (_, g) => (g.initializer[0].dims = [1000])],
  ['two kinds of data in one tensor', 'graph.initializer[0] tensor_data', (_, g) => (g.initializer[0].floatData = [1])],
  ['data of another type', 'graph.initializer[0] tensor_data', (_, g) => (g.initializer[0] = { ...weight, int64Data: [1] })],
  ['raw text', 'graph.initializer[0] tensor_data', (_, g) => (g.initializer[0].dataType = STRING)],
  ['elements of no known type', 'graph.initializer[0] data_type', (_, g) => (g.initializer[0].dataType = 99)],
  ['a part of a tensor', 'graph.initializer[0] segment', (_, g) => (g.initializer[0].segment = { begin: 0, end: 1 })],
  ['a long name', 'graph.node[0].name text_length', (_, g) => (g.node[0].name = 'n'.repeat(2000))],
  ['a long text in a constant', 'graph.initializer[3].string_data[0] text_length', (_, g) => (g.initializer[3].stringData = [Buffer.alloc(2 ** 20 + 1)])],
  ['a size taken from a row', 'graph.node[1] known_size', (_, g) => g.node.unshift(node('Cast', ['age'], ['n']), node('Expand', ['weight', 'n'], ['x']))],
  ['a size taken from a row through a branch', 'graph.node[1] known_size', (_, g) => g.node.unshift(node('If', ['all'], ['n'], graphAttribute('then_branch', { node: [node('Identity', ['age'], ['i'])], output: [{ name: 'i' }] })), node('Range', ['all', 'n', 'all'], ['x']))],
  ['nodes out of order', 'graph.node[0].input[0] defined', (_, g) => g.node.reverse()],
  ['no signature', 'metadata_props signature', (m) => (m.metadataProps = [])],
  ['two signatures', 'metadata_props signature', (m) => m.metadataProps.push(m.metadataProps[0])],
  ['a signature that is not JSON', 'metadata_props.signature json', (m) => (m.metadataProps[0].value = '{')],
  ['a signature with a strange column', 'metadata_props.signature.inputs.0.name signature', (m) => (m.metadataProps[0].value = JSON.stringify({ ...SIGNATURE, inputs: [{ name: '__proto__', type: 'numeric', nullable: true }] }))],
  ['a signature with a column the graph lacks', 'metadata_props.signature.inputs[2] input', (m) => (m.metadataProps[0].value = JSON.stringify({ ...SIGNATURE, inputs: [...SIGNATURE.inputs, { name: 'spend', type: 'numeric', nullable: true }] }))],
  ['an entity that is an input', 'metadata_props.signature.entity unique', (m) => (m.metadataProps[0].value = JSON.stringify({ ...SIGNATURE, entity: 'age' }))],
  ['an entity that differs from an input only in case', 'metadata_props.signature.entity unique', (m) => (m.metadataProps[0].value = JSON.stringify({ ...SIGNATURE, entity: 'Age' }))],
  ['a column named twice', 'metadata_props.signature.inputs[2] unique', (m) => (m.metadataProps[0].value = JSON.stringify({ ...SIGNATURE, inputs: [...SIGNATURE.inputs, SIGNATURE.inputs[0]] }))],
  ['an input the signature lacks', 'graph.input[2] input', (_, g) => g.input.push(value('spend', FLOAT, [{ dimParam: 'N' }, { dimValue: 1 }]))],
  ['all columns in one input, as scikit-learn converters write it', 'graph.input[0] input', (_, g) => (g.input[0] = value('age', FLOAT, [{ dimParam: 'N' }, { dimValue: 4 }]))],
  ['a fixed number of rows', 'graph.input[0] input', (_, g) => (g.input[0] = value('age', FLOAT, [{ dimValue: 1 }, { dimValue: 1 }]))],
  ['an input of another type than its column', 'graph.input[1] input', (_, g) => (g.input[1] = value('plan', FLOAT, [{ dimParam: 'N' }, { dimValue: 1 }]))],
  ['no probability', 'graph.output output', (_, g) => g.output.splice(1, 1)],
  ['probabilities of both classes', 'graph.output[1] output', (_, g) => (g.output[1] = value('probability', FLOAT, [{ dimParam: 'N' }, { dimValue: 2 }]))],
])('%s: refused by %s', (_, refusal, change) => {
  expect(refusalOf(changed(change))).toBe(refusal);
}); // prettier-ignore

test('columns that differ only in case are refused by both their names', () => {
  const model = changed((m, g) => {
    g.input.push(value('Age', FLOAT, [{ dimParam: 'N' }, { dimValue: 1 }]));
    m.metadataProps[0].value = JSON.stringify({
      ...SIGNATURE,
      inputs: [...SIGNATURE.inputs, { ...SIGNATURE.inputs[0], name: 'Age' }],
    });
  });
  expect(() => servedSignature(inspectOnnx(model))).toThrow("'Age' and the input 'age' differ only in case");
  expect(refusalOf(model)).toBe('metadata_props.signature.inputs[2] unique');
});

test('graphs are nested four deep, not deeper, and not without end', () => {
  expect(refusalOf(encode(nested(4)))).toBeNull();
  expect(refusalOf(encode(nested(5)))).toMatch(/^graph(\.node\[0\]\.attribute\[0\]\.g){5} subgraph_depth$/);
  // Types of lists of types of lists …: as deep as a file of this size can be.
  let type: Uint8Array = new Uint8Array();
  for (let depth = 0; depth < 5000; depth++) type = field(4, field(1, type));
  const info = field(7, field(13, field(2, type)));
  expect(refusalOf(Buffer.concat([good, info]))).toBe('graph once');
  expect(refusalOf(Buffer.concat([varint(8), varint(10), info]))).toMatch(/^graph\.value_info\[0\]\.type(\.sequence_type\.elem_type)+.* nesting$/);
}); // prettier-ignore

test('more nodes than allowed are refused, and more parts than memory is for', () => {
  const nodes = (count: number) => changed((_, graph) => (graph.node as Message[]).unshift(...Array.from({ length: count }, () => ({}))));
  expect(refusalOf(nodes(100_000))).toBe('graph.node node_count');
  const parts = Buffer.alloc(2_200_000, Buffer.from([0x0a, 0x00]));
  expect(refusalOf(Buffer.concat([varint(8), varint(10), field(7, parts)]))).toBe('graph.node[999999] elements');
}); // prettier-ignore

test('what other readers would read otherwise is refused', () => {
  const withTail = (...tail: Uint8Array[]) => Buffer.concat([good, ...tail]);
  expect(refusalOf(withTail(field(7, new Uint8Array())))).toBe('graph once');
  expect(refusalOf(withTail(varint(8), varint(10)))).toBe('ir_version once');
  expect(refusalOf(withTail(field(99, Buffer.from('x'))))).toBe(' known_field');
  expect(refusalOf(withTail(varint(0), varint(0)))).toBe(' known_field');
  expect(refusalOf(withTail(varint(4 * 8), varint(1)))).toBe('domain wire_type');
  expect(refusalOf(withTail(varint(4 * 8 + 3), varint(4 * 8 + 4)))).toBe('domain wire_type');
  expect(refusalOf(withTail(field(6, Uint8Array.of(0xff))))).toBe('doc_string utf8');
  // 2^32 + 1 is 1, external, for a reader that takes 32 bits.
  const location = Buffer.concat([varint(14 * 8), varint(2n ** 32n + 1n)]);
  const tensor = Buffer.concat([varint(8), varint(10), field(7, field(5, location))]);
  expect(refusalOf(tensor)).toBe('graph.initializer[0].data_location range');
  const endless = Buffer.concat([varint(5 * 8), Buffer.alloc(11, 0xff)]);
  expect(refusalOf(withTail(endless))).toBe('model_version varint');
});

test('a file in the format of ONNX Runtime itself is refused, even inside valid ONNX', () => {
  const polyglot = Buffer.concat([field(2, Buffer.from('xxORTMxx')), encode({ ...foreignModel(), producerName: undefined })]);
  expect(refusalOf(polyglot)).toBe(' format');
}); // prettier-ignore

test('an input or output that is left out is no value of a row', () => {
  const left = [node('Dropout', ['age', '', ''], ['kept', '']), node('Resize', ['weight', '', '', 'all'], ['x'])];
  expect(refusalOf(changed((_, graph) => (graph.node as Message[]).unshift(...left)))).toBeNull();
});

test('every beginning of a good file is refused', () => {
  for (let length = 0; length < good.length; length++) {
    expect(refusalOf(good.subarray(0, length)), `${length} bytes`).not.toBeNull();
  }
});

test('integers and lists of numbers count as data in every form ONNX allows', () => {
  const forms: Message[] = [
    { name: 'w', dims: [2], dataType: FLOAT, floatData: [1, 2] },
    integers('w', [1, -2]),
    { name: 'w', dims: [2], dataType: 7, int64Data: [1, -2] },
    { name: 'w', dims: [2, 1], dataType: 6, int32Data: [-2147483648, 2147483647] },
    { name: 'w', dims: [2], dataType: 11, doubleData: [1, 2] },
    { name: 'w', dims: [2], dataType: 12, uint64Data: [1, 2] },
    { name: 'w', dims: [0], dataType: 11 },
  ];
  for (const form of forms) expect(refusalOf(changed((_, graph) => (graph.initializer as Message[]).push(form)))).toBeNull();
}); // prettier-ignore
