import { RefusedModel, type ReadGraph } from './read.ts';

/** Operators that make as much as one of these inputs says, where a few bytes can ask for terabytes. */
const SIZE_INPUTS: Readonly<Record<string, readonly number[] | undefined>> = {
  AffineGrid: [1],
  BlackmanWindow: [0],
  CenterCropPad: [1],
  Col2Im: [0, 1, 2],
  ConstantOfShape: [0],
  DFT: [1],
  Expand: [1],
  HammingWindow: [0],
  HannWindow: [0],
  MaxUnpool: [2],
  MelWeightMatrix: [0, 1],
  OneHot: [1],
  Pad: [1],
  Range: [0, 1, 2],
  Resize: [2, 3],
  STFT: [1, 2, 3],
  Tile: [1],
  Upsample: [1],
};
const KNOWN_FROM_ANY = new Set(['Shape', 'Size']);

/**
 * Sizes may follow from constants and from how many rows there are, never from a value in a row: what a model allocates
 * for the test rows is then what it allocates for any. Nodes must come in the order they are computed in.
 * @throws RefusedModel
 */
export function requireKnownSizes(graph: ReadGraph): void {
  const fromRows = new Set(namesOf(graph.input));
  follow(graph, { fromRows, defined: new Set([...fromRows, '']) }, 'graph');
}

interface Names {
  /** Values that depend on what is in a row. */
  readonly fromRows: Set<string>;
  readonly defined: Set<string>;
}

function follow({ node = [], initializer }: ReadGraph, { fromRows, defined }: Names, path: string): void {
  for (const name of namesOf(initializer)) defined.add(name);
  node.forEach(({ opType = '', input = [], output = [], attribute = [] }, index) => {
    const place = `${path}.node[${index}]`;
    const unknown = input.findIndex((name) => !defined.has(name));
    if (unknown >= 0) throw new RefusedModel(`${place}.input[${unknown}]`, 'defined', 'is no value computed before it');
    const asked = (Object.hasOwn(SIZE_INPUTS, opType) && SIZE_INPUTS[opType]) || [];
    if (asked.some((position) => fromRows.has(input[position] ?? ''))) {
      throw new RefusedModel(place, 'known_size', `${opType} makes as much as a value in a row asks for`);
    }
    let depends = input.some((name) => fromRows.has(name));
    for (const [number, { g }] of attribute.entries()) {
      if (!g) continue;
      follow(g, { fromRows, defined: new Set(defined) }, `${place}.attribute[${number}].g`);
      depends ||= namesOf(g.output).some((name) => fromRows.has(name));
    }
    for (const name of output) {
      defined.add(name);
      if (depends && name !== '' && !KNOWN_FROM_ANY.has(opType)) fromRows.add(name);
    }
  });
}

const namesOf = (values: readonly { readonly name?: string }[] = []) => values.map(({ name = '' }) => name);
