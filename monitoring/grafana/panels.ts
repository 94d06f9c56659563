/** What a panel shows; where it stands and how it looks is the same for all. */
export interface PanelSpec {
  readonly title: string;
  /** Said at the panel's corner. */
  readonly description: string;
  /** Of Grafana: reqps, s, percentunit, bytes, short … */
  readonly unit: string;
  /** Expression by legend, in which `{{label}}` stands for a label's value. */
  readonly queries: Readonly<Record<string, string>>;
  readonly type?: 'timeseries' | 'stat' | 'table';
  readonly max?: number;
}
export interface DashboardSpec {
  readonly uid: string;
  readonly title: string;
  /** Variable → query of its values; an expression names it as `$variable`. */
  readonly variables?: Readonly<Record<string, string>>;
  readonly panels: readonly PanelSpec[];
}

const DATASOURCE = { type: 'prometheus', uid: '${datasource}' };
const WIDTH = 12;
const HEIGHT = 8;

/** A dashboard as Grafana 9 to 12 provisions it from a file. */
export const dashboardOf = ({ uid, title, variables = {}, panels }: DashboardSpec) => ({
  uid,
  title,
  tags: ['anneal'],
  schemaVersion: 39,
  version: 1,
  editable: false,
  refresh: '10s',
  time: { from: 'now-1h', to: 'now' },
  links: [
    { type: 'link', title: 'Drift reports', url: '${anneal_url}/reports', targetBlank: true, icon: 'doc' },
    { type: 'dashboards', title: 'Anneal', tags: ['anneal'], asDropdown: true, includeVars: true, keepTime: true },
  ],
  templating: {
    list: [
      { name: 'datasource', label: 'Prometheus', type: 'datasource', query: 'prometheus' },
      { name: 'anneal_url', label: 'Anneal', type: 'textbox', query: 'http://localhost:8080' },
      ...Object.entries(variables).map(([name, query]) => ({
        ...{ name, type: 'query', datasource: DATASOURCE, query, refresh: 2, sort: 1 },
        ...{ multi: true, includeAll: true, allValue: '.*', current: { text: 'All', value: '$__all' } },
      })),
    ],
  },
  panels: panels.map(panelOf),
});

const panelOf = ({ title, description, unit, queries, type = 'timeseries', max }: PanelSpec, index: number) => ({
  id: index + 1,
  type,
  title,
  description,
  datasource: DATASOURCE,
  gridPos: { x: (index % 2) * WIDTH, y: Math.floor(index / 2) * HEIGHT, w: WIDTH, h: HEIGHT },
  fieldConfig: { defaults: { unit, ...(unit === 'percentunit' && { min: 0 }), ...(max && { max }) }, overrides: [] },
  ...(type === 'timeseries' && { options: { legend: { displayMode: 'list' }, tooltip: { mode: 'multi' } } }),
  targets: Object.entries(queries).map(([legendFormat, expr], target) => ({
    ...{ refId: String.fromCharCode(65 + target), datasource: DATASOURCE, expr, legendFormat },
    ...(type === 'table' && { instant: true, format: 'table' }),
    ...(expr.includes('_seconds_bucket') && { exemplar: true }),
  })),
});
