import { arrayOf, flagOf, objectOf, parametersOf, refuseUnsupported, textOf } from './members.ts';
import { refuse } from './refusal.ts';

/** What a model answers, one value per row, with the type of its tensor. */
export const OUTPUTS = { probability: 'FP32', label: 'BYTES', decision: 'BYTES', prediction_id: 'BYTES' } as const;
export type OutputName = keyof typeof OUTPUTS;
const NAMES = Object.keys(OUTPUTS) as OutputName[];

export interface RequestedOutput {
  readonly name: OutputName;
  readonly binary: boolean;
}

/** Which outputs a request wants, in its order: all where it names none. Throws INVALID. */
export function readOutputs(value: unknown, binaryByDefault: boolean): readonly RequestedOutput[] {
  const wanted = value === undefined ? [] : arrayOf(value, 'outputs');
  if (wanted.length === 0) return NAMES.map((name) => ({ name, binary: binaryByDefault }));
  const outputs: RequestedOutput[] = [];
  for (const [index, entry] of wanted.entries()) {
    const path = `outputs[${index}]`;
    const output = objectOf(entry, path);
    const named = textOf(output['name'], `${path}.name`);
    const name = NAMES.find((known) => known === named);
    if (!name) throw refuse(`${path}.name`, 'unknown_output', `must be one of ${NAMES.join(', ')}`);
    if (outputs.some((other) => other.name === name)) throw refuse(`${path}.name`, 'unique', `must not be named twice`);
    const parameters = parametersOf(output, `${path}.parameters`);
    refuseUnsupported(parameters, `${path}.parameters`);
    outputs.push({
      name,
      binary: flagOf(parameters['binary_data'], `${path}.parameters.binary_data`) ?? binaryByDefault,
    });
  }
  return outputs;
}
