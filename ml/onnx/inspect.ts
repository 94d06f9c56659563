import {
  readModel,
  RefusedModel,
  type ReadAttribute,
  type ReadGraph,
  type ReadModel,
  type ReadNode,
  type ReadTensor,
} from './read.ts';
import { requireKnownSizes } from './known-sizes.ts';

const IR_VERSIONS = { from: 3, to: 13 };
/** What our ONNX Runtime knows of each operator domain. */
const OPSETS: Readonly<Record<string, number | undefined>> = { '': 26, 'ai.onnx': 26, 'ai.onnx.ml': 5 };
const MAX_SUBGRAPH_DEPTH = 4;
const MAX_NODES = 100_000;
const MAX_TENSOR_ELEMENTS = 2 ** 28;

const FORBIDDEN: Readonly<Record<string, string | undefined>> = {
  // How often they go round may depend on the row that is scored, so no test bounds their time.
  ...each(['Loop', 'Scan', 'SequenceMap'], 'repeats a graph; what is served must take bounded time'),
  ...each(
    ['RandomNormal', 'RandomNormalLike', 'RandomUniform', 'RandomUniformLike', 'Multinomial', 'Bernoulli'],
    'is random; the same row must get the same answer',
  ),
  ...each(['StringConcat', 'StringSplit'], 'makes more the longer the texts of a row are'),
  ...each(['ImageDecoder'], 'decodes files; a row has none'),
};

/**
 * Checks a model file from a stranger before any runtime sees it. It may hold nothing but operators of ONNX itself,
 * their constants and metadata: see docs/models.md.
 * @throws RefusedModel
 */
export function inspectOnnx(bytes: Uint8Array): ReadModel {
  const model = readModel(bytes);
  const { irVersion = 0, opsetImport = [], graph, functions, trainingInfo } = model;
  if (irVersion < IR_VERSIONS.from || irVersion > IR_VERSIONS.to) {
    const message = `is ${irVersion}; ${IR_VERSIONS.from} to ${IR_VERSIONS.to} are supported`;
    throw new RefusedModel('ir_version', 'ir_version', message);
  }
  opsetImport.forEach(({ domain = '', version = 0 }, index) => {
    const path = `opset_import[${index}]`;
    const newest = domainOf(domain, path);
    if (version >= 1 && version <= newest) return;
    throw new RefusedModel(path, 'opset_version', `is ${version}; 1 to ${newest} are supported`);
  });
  if (functions) throw new RefusedModel('functions[0]', 'functions', 'functions are not allowed');
  if (trainingInfo) throw new RefusedModel('training_info[0]', 'training_info', 'training graphs are not allowed');
  if (!graph) throw new RefusedModel('graph', 'required', 'is missing: this is not an ONNX model');
  new Inspection().graph(graph, 'graph', 0);
  requireKnownSizes(graph);
  return model;
}

class Inspection {
  #nodes = 0;

  graph({ node = [], initializer = [], sparseInitializer }: ReadGraph, path: string, depth: number): void {
    if (depth > MAX_SUBGRAPH_DEPTH) {
      throw new RefusedModel(path, 'subgraph_depth', `is a graph inside more than ${MAX_SUBGRAPH_DEPTH} others`);
    }
    if (sparseInitializer) throw sparse(`${path}.sparse_initializer[0]`);
    this.#nodes += node.length;
    if (this.#nodes > MAX_NODES) {
      throw new RefusedModel(`${path}.node`, 'node_count', `the file has more than ${MAX_NODES} nodes`);
    }
    initializer.forEach((tensor, index) => requireOwnData(tensor, `${path}.initializer[${index}]`));
    node.forEach((one, index) => this.#node(one, `${path}.node[${index}]`, depth));
  }

  #node({ opType = '', domain = '', attribute = [] }: ReadNode, path: string, depth: number): void {
    domainOf(domain, path);
    const forbidden = Object.hasOwn(FORBIDDEN, opType) && FORBIDDEN[opType];
    if (forbidden) throw new RefusedModel(path, 'operator', `${opType} ${forbidden}`);
    attribute.forEach((value, index) => this.#attribute(value, `${path}.attribute[${index}]`, depth));
  }

  #attribute(attribute: ReadAttribute, path: string, depth: number): void {
    const { t, g, tensors = [], graphs = [], sparseTensor, sparseTensors, refAttrName } = attribute;
    if (refAttrName) throw new RefusedModel(path, 'functions', 'refers to an attribute of a function');
    if (sparseTensor || sparseTensors) throw sparse(path);
    if (t) requireOwnData(t, `${path}.t`);
    tensors.forEach((tensor, index) => requireOwnData(tensor, `${path}.tensors[${index}]`));
    if (g) this.graph(g, `${path}.g`, depth + 1);
    graphs.forEach((graph, index) => this.graph(graph, `${path}.graphs[${index}]`, depth + 1));
  }
}

/** The newest version of a domain that may be used. */
function domainOf(domain: string, path: string): number {
  const newest = Object.hasOwn(OPSETS, domain) ? OPSETS[domain] : undefined;
  if (newest !== undefined) return newest;
  throw new RefusedModel(path, 'operator_domain', 'uses operators of another domain than ai.onnx and ai.onnx.ml');
}

type DataField = 'floatData' | 'int32Data' | 'stringData' | 'int64Data' | 'doubleData' | 'uint64Data';
/** TensorProto.DataType → bytes of an element, and the field that holds elements when they are not raw. */
const ELEMENTS: Readonly<Record<number, readonly [number, DataField] | undefined>> = {
  1: [4, 'floatData'],
  2: [1, 'int32Data'],
  3: [1, 'int32Data'],
  4: [2, 'int32Data'],
  5: [2, 'int32Data'],
  6: [4, 'int32Data'],
  7: [8, 'int64Data'],
  8: [0, 'stringData'],
  9: [1, 'int32Data'],
  10: [2, 'int32Data'],
  11: [8, 'doubleData'],
  12: [4, 'uint64Data'],
  13: [8, 'uint64Data'],
  16: [2, 'int32Data'],
};
const DATA_FIELDS = ['floatData', 'int32Data', 'stringData', 'int64Data', 'doubleData', 'uint64Data'] as const;
const MAX_RANK = 16;

/** A tensor holds exactly the data its shape says, inside the file. */
function requireOwnData(tensor: ReadTensor, path: string): void {
  const { dims = { count: 0, first: [] }, dataType = 0, externalData, dataLocation = 0, segment, rawData } = tensor;
  if (externalData || dataLocation !== 0) {
    throw new RefusedModel(path, 'external_data', 'has data outside the file; save the model with its data in it');
  }
  if (segment) throw new RefusedModel(path, 'segment', 'is a part of a tensor');
  const element = ELEMENTS[dataType];
  if (!element) throw new RefusedModel(path, 'data_type', `elements of type ${dataType} are not supported`);
  const elements = dims.first.reduce((product, dim) => product * dim, 1);
  const tooLarge = dims.count > MAX_RANK || dims.first.some((dim) => dim < 0) || !(elements <= MAX_TENSOR_ELEMENTS);
  if (tooLarge) throw new RefusedModel(path, 'tensor_shape', 'has an impossible shape');
  const [bytes, field] = element;
  const strange = DATA_FIELDS.some((name) => tensor[name] && (name !== field || rawData));
  const found = rawData ? rawData.length : (tensor[field]?.count ?? 0);
  const expected = rawData ? elements * bytes : elements;
  if (strange || found !== expected || (rawData && bytes === 0)) {
    throw new RefusedModel(path, 'tensor_data', `has ${elements} elements by its shape, but other data`);
  }
}

const sparse = (path: string) => new RefusedModel(path, 'sparse_tensor', 'sparse tensors are not supported');

function each(names: readonly string[], reason: string) {
  return Object.fromEntries(names.map((name) => [name, reason]));
}
