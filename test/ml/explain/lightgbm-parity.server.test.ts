import { expect, test } from 'vitest';
import { treeShap } from '../../../ml/explain/tree-shap.ts';
import type { Tree } from '../../../ml/model.ts';
import { runPeer } from '../../python.ts';

interface PeerAnswer {
  trees: Tree[];
  rows: (number | null)[][];
  /** Of every column, then the base value. */
  contributions: number[][];
}

test('60 trees that LightGBM trained, rows with missing values: our contributions are those LightGBM gives', async () => {
  const peer = (await runPeer('lightgbm_contributions.py', [], 'lightgbm-requirements.txt')) as PeerAnswer;
  const { base, add } = treeShap({ init: 0, trees: peer.trees });
  let farthest = 0;
  for (const [index, values] of peer.rows.entries()) {
    const contributions = new Float64Array(values.length);
    add(
      Float32Array.from(values, (value) => value ?? NaN),
      contributions,
    );
    const expected = peer.contributions[index]!;
    expect(expected).toHaveLength(values.length + 1);
    for (const [column, value] of [...contributions, base].entries())
      farthest = Math.max(farthest, Math.abs(value - expected[column]!));
  }
  expect(peer.rows).toHaveLength(500);
  expect(farthest).toBeLessThan(1e-9);
});
