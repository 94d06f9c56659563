import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { runPeer } from '../../python.ts';
import { expectPeerScores, type PeerCase } from './peer-cases.ts';

const peerCases = async (sizes: 'small' | 'large') =>
  (await runPeer('drift_statistics.py', [sizes], 'drift-requirements.txt')) as PeerCase[];

test('samples of up to 60,000 values: every statistic is that of Evidently and scipy to 1e-9', async () => {
  const cases = await peerCases('large');
  expect(cases).toHaveLength(33);
  cases.forEach(expectPeerScores);
});

test('the recorded small samples have the scores that Evidently gives them now', async () => {
  const recorded = JSON.parse(await readFile(new URL('evidently-scores.json', import.meta.url), 'utf8')) as PeerCase[];
  const cases = await peerCases('small');
  expect(recorded.map(({ name, reference, current }) => ({ name, reference, current }))).toEqual(
    cases.map(({ name, reference, current }) => ({ name, reference, current })),
  );
  for (const [index, { scores }] of cases.entries())
    for (const [method, score] of Object.entries(scores))
      expect(Object.entries(recorded[index]!.scores)).toContainEqual([
        method,
        score === null ? null : (expect.closeTo(score, 10) as number),
      ]);
});
