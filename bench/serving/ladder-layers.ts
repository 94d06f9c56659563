/** Each rung is the one before and one layer more. */
export const LAYERS = [
  // A Hono route with zero-wait micro-batches, on the product's own HTTP listener: reads JSON, checks nothing.
  'bare',
  'validate',
  // The product's route with every layer below left out: request id, prediction id, headers, room, the answer's text.
  'answer',
  'token',
  'limit',
  'metrics',
  'trace',
  'log',
] as const;
export type Layer = (typeof LAYERS)[number];

/** Does the rung `top` have the layer? */
export const has = (top: Layer, layer: Layer): boolean => LAYERS.indexOf(layer) <= LAYERS.indexOf(top);
