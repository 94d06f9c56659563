/** Scores or probabilities, one per row. */
export type Scores = Float32Array | Float64Array;

const RADIX_FROM = 4096;
const DIGIT_BITS = 16;

/** Row numbers by descending score; rows with equal scores keep their order. Throws RangeError on NaN. */
export function descendingOrder(scores: Scores): Uint32Array {
  const nan = scores.findIndex(Number.isNaN);
  if (nan >= 0) throw new RangeError(`score of row ${nan} is NaN`);
  if (scores.length >= RADIX_FROM) return radixOrder(scores);
  return rowNumbers(scores.length).sort((a, b) => scores[b]! - scores[a]! || a - b);
}

function rowNumbers(rows: number): Uint32Array<ArrayBuffer> {
  const numbers = new Uint32Array(rows);
  for (let row = 0; row < rows; row++) numbers[row] = row;
  return numbers;
}

/** A comparator costs about a second per million rows; four counting passes over the score's bits cost a tenth. */
function radixOrder(scores: Scores): Uint32Array {
  const digits = digitsOf(scores);
  let order = rowNumbers(scores.length);
  for (const digit of digits) order = stableByDigit(order, digit);
  return order;
}

/** 16-bit digits of each score, least significant first, such that ascending digits mean descending scores. */
function digitsOf(scores: Scores): Uint16Array[] {
  // Adding 0 turns -0, whose bits differ, into 0.
  const copy = scores.map((score) => score + 0);
  const parts = new Uint16Array(copy.buffer);
  const perScore = parts.length / scores.length;
  return Array.from({ length: perScore }, (_, place) => {
    const digit = new Uint16Array(scores.length);
    for (let row = 0; row < digit.length; row++) {
      const negative = parts[row * perScore + perScore - 1]! >>> 15 === 1;
      const bits = parts[row * perScore + place]!;
      // Two's order of IEEE 754: positive numbers ascend with their bits, negative ones descend.
      digit[row] = negative ? bits : place === perScore - 1 ? 0x7fff - bits : 0xffff - bits;
    }
    return digit;
  });
}

function stableByDigit(order: Uint32Array, digit: Uint16Array): Uint32Array<ArrayBuffer> {
  const next = new Uint32Array(1 << DIGIT_BITS);
  for (const value of digit) next[value]!++;
  for (let value = 0, start = 0; value < next.length; value++) {
    const count = next[value]!;
    next[value] = start;
    start += count;
  }
  const sorted = new Uint32Array(order.length);
  for (const row of order) sorted[next[digit[row]!]!++] = row;
  return sorted;
}

/** How many rows of each class score at or above each distinct score; scores descend. */
export interface Ranking {
  readonly rows: number;
  readonly positives: number;
  readonly negatives: number;
  readonly thresholds: Float64Array;
  readonly truePositives: Uint32Array;
  readonly falsePositives: Uint32Array;
}

/**
 * @param target 1 for the positive class, else 0
 * @param order of these scores, where the caller has it already
 * @throws RangeError when the lengths differ or a score is NaN
 */
export function rankRows(target: Uint8Array, scores: Scores, order = descendingOrder(scores)): Ranking {
  requireSameRows(target, scores);
  const thresholds = new Float64Array(order.length);
  const truePositives = new Uint32Array(order.length);
  const falsePositives = new Uint32Array(order.length);
  let groups = 0;
  let positives = 0;
  for (let place = 0; place < order.length; place++) {
    const score = scores[order[place]!]!;
    positives += target[order[place]!]!;
    if (place + 1 < order.length && scores[order[place + 1]!] === score) continue;
    thresholds[groups] = score;
    truePositives[groups] = positives;
    falsePositives[groups++] = place + 1 - positives;
  }
  return {
    rows: order.length,
    positives,
    negatives: order.length - positives,
    thresholds: thresholds.subarray(0, groups),
    truePositives: truePositives.subarray(0, groups),
    falsePositives: falsePositives.subarray(0, groups),
  };
}

export function requireSameRows(target: Uint8Array, scores: Scores): void {
  if (target.length !== scores.length)
    throw new RangeError(`${target.length} target values but ${scores.length} probabilities`);
}
