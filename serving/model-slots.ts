/** Something that must be released when nobody uses it any more. */
export interface Releasable {
  release(): Promise<void>;
}
interface Held<T> {
  readonly value: T;
  users: number;
  retired: boolean;
  release(): Promise<void>;
}
export type ModelSlots<T extends Releasable> = ReturnType<typeof createModelSlots<T>>;

/**
 * What each name serves now. A swap is one assignment: work that began before it ends on the old value, which is
 * released after the last of it.
 */
export function createModelSlots<T extends Releasable>(onReleaseError: (error: unknown) => void) {
  const slots = new Map<string, Held<T>>();

  const releaseIfIdle = async (held: Held<T>) => {
    if (!held.retired || held.users > 0) return;
    try {
      await held.release();
    } catch (error) {
      onReleaseError(error);
    }
  };
  const retire = (held: Held<T> | undefined) => {
    if (!held || held.retired) return;
    held.retired = true;
    void releaseIfIdle(held);
  };

  const useHeld = async <R>(held: Held<T>, work: (value: T) => Promise<R>): Promise<R> => {
    held.users++;
    try {
      return await work(held.value);
    } finally {
      held.users--;
      if (held.retired) void releaseIfIdle(held);
    }
  };

  return {
    names: (): string[] => [...slots.keys()].sort(),
    get: (name: string): T | undefined => slots.get(name)?.value,

    /** Runs `work` on what the name serves at this moment; undefined when it serves nothing. */
    use: <R>(name: string, work: (value: T) => Promise<R>): Promise<R> | undefined => {
      const held = slots.get(name);
      return held && useHeld(held, work);
    },

    swap: (name: string, value: T): void => {
      const old = slots.get(name);
      slots.set(name, { value, users: 0, retired: false, release: () => value.release() });
      retire(old);
    },

    remove: (name: string): void => {
      const old = slots.get(name);
      slots.delete(name);
      retire(old);
    },
  };
}
