import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { dashboardFile, files } from '../../monitoring/grafana/source/files.js';

const root = join(import.meta.dirname, '..', '..');
const monitoring = (...path: string[]) => readFileSync(join(root, 'monitoring', ...path), 'utf8');

interface Panel {
  readonly type: string;
  readonly title: string;
  readonly options: unknown;
  readonly fieldConfig: { readonly defaults: { readonly custom?: unknown } };
  readonly targets: readonly Record<string, unknown>[];
}

interface Shown {
  readonly uid: string;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly current?: { readonly value: string } }[] };
}

const read = (name: string) => JSON.parse(monitoring('grafana', 'dashboards', name)) as Shown;

test.each(files)('$name is current: npm run generate:dashboards', ({ source, name }) => {
  expect(monitoring('grafana', 'dashboards', name)).toBe(dashboardFile(source));
});

/** JSON schemas of Grafana's own models: data of others, which is beside this repository. */
const schemas = ['..', join('..', '..')].map((up) => join(root, up, 'shared', 'grafana-schemas')).find((folder) => existsSync(folder));

describe.skipIf(schemas === undefined)(
  schemas === undefined ? 'Grafana’s schemas are not beside this repository' : 'Grafana’s schemas',
  () => {
    const ajv = new Ajv({ strict: false, allErrors: true, formats: { 'date-time': true } });
    const checks = new Map<string, ValidateFunction>();
    const errorsOf = (value: unknown, file: string, definition: string) => {
      const id = `${file}#/definitions/${definition}`;
      if (ajv.getSchema(file) === undefined)
        ajv.addSchema(JSON.parse(readFileSync(join(schemas ?? '', `${file}.jsonschema.json`), 'utf8')), file);
      const made = checks.get(id) ?? ajv.compile({ $ref: id });
      checks.set(id, made);
      return made(value) ? [] : (made.errors ?? []);
    };

    test.each(files)('take $name, each of its panels and queries', ({ name, source }) => {
      const shown = read(name);
      expect(errorsOf(shown, 'dashboard', 'Dashboard')).toEqual([]);
      for (const { type, title, options, fieldConfig, targets } of shown.panels) {
        expect(errorsOf(options, type, 'Options'), title).toEqual([]);
        const { custom } = fieldConfig.defaults;
        if (custom !== undefined) expect(errorsOf(custom, type, 'FieldConfig'), title).toEqual([]);
        for (const target of targets) if (source === 'prometheus') expect(errorsOf(target, 'prometheus', 'Dataquery'), title).toEqual([]);
      }
    });

    test('refuse what is not theirs', () => {
      const shown = { ...read('loadctl-prometheus.json'), stranger: true };
      expect(errorsOf(shown, 'dashboard', 'Dashboard')).toMatchObject([{ params: { additionalProperty: 'stranger' } }]);
    });
  },
);

test('data sources are provisioned under the uids that the dashboards ask for, with an interval that short runs need', () => {
  const { datasources } = parse(monitoring('grafana', 'provisioning', 'datasources', 'loadctl.yaml')) as {
    datasources: { uid: string; type: string; jsonData: { timeInterval: string } }[];
  };
  for (const { source, name } of files) {
    const { current } = read(name).templating.list.find((variable) => variable.name === 'datasource') ?? {};
    const provisioned = datasources.find(({ uid }) => uid === current?.value);
    expect(provisioned).toMatchObject({ type: source, jsonData: { timeInterval: '1s' } });
  }
  expect(files.map(({ name }) => read(name).uid)).toEqual(['loadctl', 'loadctl-influxdb']);
});

/* Only its shape: nothing here runs it. */
test('monitoring/compose.yaml pins every image, listens on loopback alone, and mounts what is there', () => {
  const { services, volumes } = parse(monitoring('compose.yaml')) as {
    services: Record<string, { image: string; ports?: string[]; volumes?: string[] }>;
    volumes: Record<string, unknown>;
  };
  expect(Object.keys(services).sort()).toEqual(['grafana', 'influxdb', 'node_exporter', 'prometheus']);
  for (const { image, ports = [], volumes: mounts = [] } of Object.values(services)) {
    expect(image).toMatch(/^[\w/-]+:v?\d+\.\d+\.\d+$/);
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
    for (const mount of mounts) {
      const [from = ''] = mount.split(':');
      if (from.startsWith('.')) expect(existsSync(join(root, 'monitoring', from)), mount).toBe(true);
      else expect(from.startsWith('/') || from in volumes, mount).toBe(true);
    }
  }
  const { providers } = parse(monitoring('grafana', 'provisioning', 'dashboards', 'loadctl.yaml')) as {
    providers: { options: { path: string } }[];
  };
  const paths = services.grafana?.volumes?.map((mount) => mount.split(':')[1]);
  expect(paths).toContain(providers[0]?.options.path);
});
