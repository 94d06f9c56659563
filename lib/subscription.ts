/** Calls back on every change until `unlisten`. */
export type Listen = (onChange: () => void) => Promise<{ unlisten: () => Promise<unknown> }>;

/** A subscription that may die with its connection, and is then made anew. */
export function createSubscription(listen: Listen, onChange: () => void) {
  let listening: Awaited<ReturnType<Listen>> | null = null;
  return {
    isOpen: (): boolean => listening !== null,
    /** Rejects when nobody can be heard now. */
    renew: async (): Promise<void> => {
      const old = listening;
      listening = null;
      void old?.unlisten().catch(() => undefined);
      listening = await listen(onChange);
    },
    /** Never rejects: the other side may be away. */
    end: async (): Promise<void> => {
      await listening?.unlisten().catch(() => undefined);
    },
  };
}
