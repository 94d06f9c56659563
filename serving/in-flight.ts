/** How many requests are being answered, up to a cap. */
export interface InFlight {
  /** False when the cap is reached; else `leave` must follow. */
  readonly enter: () => boolean;
  readonly leave: () => void;
  readonly depth: () => number;
}

export function createInFlight(max: number): InFlight {
  let depth = 0;
  return {
    enter: () => {
      if (depth >= max) return false;
      depth++;
      return true;
    },
    leave: () => void depth--,
    depth: () => depth,
  };
}
