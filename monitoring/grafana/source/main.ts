import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { dashboardFile, files } from './files.js';

/** Writes the dashboards (`npm run generate:dashboards`); this runs in dist/monitoring. */
for (const { source, name } of files) {
  const path = fileURLToPath(new URL(`../../monitoring/grafana/dashboards/${name}`, import.meta.url));
  writeFileSync(path, dashboardFile(source));
}
