import { dashboardFor, type Source } from './dashboards.js';

/** The files of generated dashboards, below monitoring/grafana/dashboards. */
export const files: readonly { readonly source: Source; readonly name: string }[] = [
  { source: 'prometheus', name: 'loadctl-prometheus.json' },
  { source: 'influxdb', name: 'loadctl-influxdb.json' },
];

/** A dashboard as a file: what Grafana imports, and is provisioned with. */
export function dashboardFile(source: Source): string {
  return `${JSON.stringify(dashboardFor(source), null, 2)}\n`;
}
