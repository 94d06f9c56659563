import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { expectPeerScores, type PeerCase } from './peer-cases.ts';

// Printed by `test/peers/drift_statistics.py small`; evidently-parity.server.test.ts checks that it still is.
const cases = JSON.parse(readFileSync(new URL('evidently-scores.json', import.meta.url), 'utf8')) as PeerCase[];

test.each(cases)('$name: every statistic and the choice of one are those of Evidently', expectPeerScores);

test('the recorded cases hold every statistic', () => {
  expect(new Set(cases.flatMap(({ scores }) => Object.keys(scores)))).toHaveLength(9);
});
