import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { createRandom, normal, type Random } from '../ml/random.ts';
import { definePipeline, type PipelineDefinition, type PipelineDefinitionInput } from '../pipelines/definition.ts';

const NUMERIC = 22;
const CATEGORIES = [3, 5, 8, 12, 40, 300];
const BOOLEANS = 2;

const numericNames = Array.from({ length: NUMERIC }, (_, i) => `n${i}`);
const categoryNames = CATEGORIES.map((_, i) => `c${i}`);
const booleanNames = Array.from({ length: BOOLEANS }, (_, i) => `b${i}`);
/** Columns whose index says so miss one value in twenty. */
const mayMiss = (index: number) => index % 3 === 2;

/** 22 numeric, 6 categorical and 2 boolean features and a target: what the benchmark's CSV holds. */
export const ingestDefinition: PipelineDefinition = definePipeline({
  name: 'ingest',
  target: { column: 'target', positive: 'yes' },
  features: Object.fromEntries<NonNullable<PipelineDefinitionInput['features'][string]>>([
    ...numericNames.map((name, i) => [name, { type: 'numeric', nullable: mayMiss(i), min: -1e9, max: 1e9 }] as const),
    ...categoryNames.map((name) => [name, { type: 'categorical' }] as const),
    ...booleanNames.map((name) => [name, { type: 'boolean' }] as const),
  ]),
  contract: { max_duplicate_share: 0.01 },
  candidates: [{ algorithm: 'logistic_regression' }],
});

/** Writes `rows` seeded rows as CSV. The same seed gives the same bytes. */
export async function writeIngestCsv(path: string, rows: number, seed: number): Promise<void> {
  const random = createRandom(seed);
  const out = createWriteStream(path, { highWaterMark: 1 << 20 });
  out.write(`${[...numericNames, ...categoryNames, ...booleanNames, 'target'].join(',')}\n`);
  for (let row = 0; row < rows; row += 1000) {
    const lines = Array.from({ length: Math.min(1000, rows - row) }, () => line(random)).join('');
    if (!out.write(lines)) await once(out, 'drain');
  }
  out.end();
  await once(out, 'finish');
}

function line(random: Random): string {
  const numbers = numericNames.map((_, i) => number(random, i));
  const categories = CATEGORIES.map((count) => Math.floor(count * random() * random()));
  const booleans = booleanNames.map(() => random() < 0.3);
  const score = 0.4 * (numbers[0] ?? 0) + 0.3 * (numbers[3] ?? 0) + 0.1 * categories[1]! - (booleans[0] ? 0.5 : 0) - 1;
  const target = random() < 1 / (1 + Math.exp(-score)) ? 'yes' : 'no';
  return `${[
    ...numbers.map((value) => value ?? ''),
    ...categories.map((value, i) => `level-${i}-${value}`),
    ...booleans,
    target,
  ].join(',')}\n`;
}

/** Small decimals, long decimals, counts and a long-tailed amount, in turn. */
function number(random: Random, index: number): number | null {
  if (mayMiss(index) && random() < 0.05) return null;
  if (index % 4 === 0) return Number(normal(random).toFixed(3));
  if (index % 4 === 1) return Number((100 * random()).toFixed(6));
  if (index % 4 === 2) return Math.floor(500 * random());
  return Number(Math.exp(1 + normal(random)).toFixed(2));
}
