import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createModelCheck } from '../../api/model-check.ts';
import { createLimitedProcesses } from '../../lib/limited-process.ts';
import { encode, FLOAT, floats, INT64, integers, node, SIGNATURE, STRING, value } from '../ml/onnx/foreign-model.ts';
import { temporaryFolder } from '../platform.ts';
import { runPeer } from '../python.ts';

const N = { dimParam: 'N' };
/** As skl2onnx writes a classifier without zipmap: the class as a number, the probabilities of both. */
const converted = encode({
  irVersion: 9,
  producerName: 'skl2onnx',
  opsetImport: [{ domain: '', version: 15 }],
  graph: {
    name: 'model',
    input: [value('age', FLOAT, [N, { dimValue: 1 }]), value('plan', STRING, [N, { dimValue: 1 }])],
    node: [
      node('Mul', ['age', 'weight'], ['log_odds']),
      node('Sigmoid', ['log_odds'], ['one']),
      node('Sub', ['unit', 'one'], ['other']),
      { ...node('Concat', ['other', 'one'], ['probabilities']), attribute: [{ name: 'axis', type: 2, i: 1 }] },
      node('ArgMax', ['probabilities'], ['classes'], { name: 'axis', type: 2, i: 1 }),
      node('Reshape', ['classes', 'all'], ['label']),
    ],
    initializer: [floats('weight', [0.01]), floats('unit', [1]), integers('all', [-1])],
    output: [value('label', INT64, [N]), value('probabilities', FLOAT, [N, { dimValue: 2 }])],
  },
});

test('the script of the guide makes a converted classifier fit to be brought', async () => {
  const folder = await temporaryFolder('adopt');
  onTestFinished(folder.remove);
  const [given, signature, adopted] = ['given.onnx', 'signature.json', 'adopted.onnx'].map((name) => join(folder.path, name)) as [string, string, string]; // prettier-ignore
  await writeFile(given, converted);
  await writeFile(signature, JSON.stringify(SIGNATURE));
  await runPeer('../../docs/examples/adopt_onnx.py', [given, signature, adopted]);
  const script = new URL('../../workers/check-model.ts', import.meta.url);
  const check = createModelCheck(createLimitedProcesses({ concurrent: 1, waiting: 0 }), script);
  // As a file of 16 MiB, which gets more time than a small one needs on a busy machine.
  const checked = await check({ path: adopted, bytes: 16 * 2 ** 20, sha256: '' }, AbortSignal.timeout(170_000));
  expect(checked.signature).toEqual(SIGNATURE);
  const [row, probability] = [checked.golden.rows[0]!, checked.golden.probabilities[0]!];
  expect(probability).toBeCloseTo(1 / (1 + Math.exp(-0.01 * (row['age'] as number))), 5);
});
