export interface Dependent {
  readonly name: string;
  readonly dependsOn: readonly string[];
}

/** Starts each as soon as those it depends on have started; `all` is in an order in which that can be. */
export function startInOrder<S extends Dependent, T>(
  all: readonly S[],
  start: (service: S) => Promise<T>,
): Map<string, Promise<T>> {
  const started = new Map<string, Promise<T>>();
  for (const service of all) {
    const before = Promise.all(service.dependsOn.map((name) => started.get(name)!));
    started.set(
      service.name,
      before.then(() => start(service)),
    );
  }
  return started;
}

/** Stops each as soon as those that depend on it have stopped. */
export async function stopInOrder(all: readonly Dependent[], stop: (name: string) => Promise<void>): Promise<void> {
  const stopped = new Map<string, Promise<void>>();
  for (const { name } of all.toReversed()) {
    const dependents = all.filter(({ dependsOn }) => dependsOn.includes(name));
    stopped.set(
      name,
      Promise.all(dependents.map((other) => stopped.get(other.name)!)).then(() => stop(name)),
    );
  }
  await Promise.all(stopped.values());
}
