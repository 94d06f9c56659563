export type Repeating = ReturnType<typeof repeat>;

/** Runs `work` at once, then `everyMs` after each end; `wake` cuts the wait short. `work` must not throw. */
export function repeat(work: () => Promise<void>, everyMs: number) {
  let stopped = false;
  let woken = false;
  let wake = () => void (woken = true);
  const wait = () =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, everyMs);
      wake = () => {
        woken = true;
        clearTimeout(timer);
        resolve();
      };
      if (woken || stopped) wake();
    });
  const loop = (async () => {
    while (!stopped) {
      woken = false;
      await work();
      await wait();
    }
  })();
  return {
    wake: () => wake(),
    stop: async () => {
      stopped = true;
      wake();
      await loop;
    },
  };
}
