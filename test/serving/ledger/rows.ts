import type { RawRow } from '../../../ml/signature.ts';
import { type ExampleModel, probabilitiesOf } from '../example-models.ts';

const SCORED: readonly RawRow[] = Array.from({ length: 48 }, (_, index) => ({
  age: 18 + index,
  spend: index % 7 === 0 ? null : index / 4,
}));

/**
 * The row of a serial number. Rows differ by `plan`, which no model knows, so that each one that was ever sent can be
 * told from all others, while few different answers are right. `padding` makes bodies large.
 */
export const rowOf = (serial: number, padding = 0): RawRow => ({
  ...SCORED[serial % SCORED.length],
  plan: `№${serial}\n${'-'.repeat(padding)}`,
});

/** The serial number of a row that `rowOf` made. */
export const serialOf = ({ plan }: RawRow): number => Number(/^№(\d+)\n/.exec(String(plan))?.[1]);

/** Which of `answersOf` is right for a row. */
export const answerTo = (answers: readonly number[], serial: number): number => answers[serial % SCORED.length]!;

/** What a model answers, to be read by `answerTo`. */
export const answersOf = ({ onnx }: ExampleModel): Promise<number[]> =>
  probabilitiesOf(
    onnx,
    SCORED.map((_, serial) => rowOf(serial)),
  );
