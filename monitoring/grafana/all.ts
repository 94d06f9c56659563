import { drift } from './drift.ts';
import { dashboardOf } from './panels.ts';
import { serving } from './serving.ts';
import { system } from './system.ts';
import { temporal } from './temporal.ts';
import { training } from './training.ts';

/** Text of the dashboards by the name of their file. */
export const dashboardFiles = (): ReadonlyMap<string, string> =>
  new Map(
    Object.entries({ serving, training, drift, temporal, system }).map(([name, spec]) => [
      `${name}.json`,
      `${JSON.stringify(dashboardOf(spec), null, 2)}\n`,
    ]),
  );
