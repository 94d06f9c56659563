// Writes monitoring/grafana/dashboards/*.json from their descriptions beside them; a test keeps both equal.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dashboardFiles } from '../monitoring/grafana/all.ts';

const folder = join(import.meta.dirname, '../monitoring/grafana/dashboards');
mkdirSync(folder, { recursive: true });
for (const [name, text] of dashboardFiles()) writeFileSync(join(folder, name), text);
