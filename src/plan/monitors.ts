import { basename } from 'node:path';
import type { MonitorConfig, PostgresStore, Profile, RedisStore, Store } from '../profile/sections/schema.js';
import { databasePlace, machinePlace, type Place, placeOf, storePlaces } from './hosts.js';

/** A place of this machine whose processes are watched. */
export interface WatchedPlace {
  /** `target`, or the name of a store. */
  readonly name: string;
  readonly host: string;
  readonly port: string;
}

/** A monitor as a run carries it out: the profile's own words, with what they name elsewhere in it. */
export type PlannedMonitor = MonitorConfig & {
  readonly name: string;
  /** The store that is watched, as it is connected to. */
  readonly of?: Store;
  /** Where the processes listen that `here` names. */
  readonly places?: readonly WatchedPlace[];
};

/** Takes the monitors over from a profile; secrets are in them where they are in the profile. */
export function plannedMonitors({ monitors, stores, target }: Pick<Profile, 'monitors' | 'stores' | 'target'>): PlannedMonitor[] {
  return Object.entries(monitors).map(([name, config]) => {
    const of = 'store' in config && config.store !== undefined ? stores[config.store] : undefined;
    const named = config.kind === 'host' && Array.isArray(config.here) ? config.here : [];
    const places = named.flatMap((place) => placesNamed(place, { stores, target }));
    return { name, ...config, ...(of === undefined ? {} : { of }), ...(named.length === 0 ? {} : { places }) };
  });
}

/** The same without the folders of files, which are this machine's own. */
export function withoutFolders(monitors: readonly PlannedMonitor[]): PlannedMonitor[] {
  return monitors.map((monitor) => ({
    ...monitor,
    ...(monitor.of === undefined ? {} : { of: withoutTlsFolders(monitor.of) }),
  }));
}

function withoutTlsFolders(store: PostgresStore | RedisStore): PostgresStore | RedisStore {
  if (store.tls === undefined) return store;
  const tls = Object.fromEntries(Object.entries(store.tls).map(([word, value]) => [word, word === 'mode' ? value : basename(value)]));
  return { ...store, tls } as typeof store;
}

const usualPorts: Readonly<Record<string, string>> = {
  'http:': '80',
  'https:': '443',
  'postgres:': '5432',
  'postgresql:': '5432',
  'redis:': '6379',
  'rediss:': '6379',
};

function placesNamed(name: string, { stores, target }: Pick<Profile, 'stores' | 'target'>): WatchedPlace[] {
  const store = stores[name];
  const urls = name === 'target' ? [target.url, target.colours?.blue, target.colours?.green] : [];
  const places = [...urls.flatMap((url) => (url === undefined ? [] : [withPort(url)])), ...(store === undefined ? [] : storePlaces(store))];
  const usual = store === undefined ? '80' : store.kind === 'postgres' ? '5432' : '6379';
  return places.map(({ host, port = usual }) => ({ name, host, port }));
}

function withPort(url: string): Place {
  const { host, port } = placeOf(url);
  const usual = URL.canParse(url) ? usualPorts[new URL(url).protocol] : undefined;
  return port === undefined && usual !== undefined ? { host, port: usual } : { host, ...(port === undefined ? {} : { port }) };
}

/** Where a monitor connects to besides the stores of the profile. */
export function monitorPlaces(monitor: PlannedMonitor): Place[] {
  switch (monitor.kind) {
    case 'postgres':
    case 'pgbouncer':
      return monitor.url === undefined ? [] : [databasePlace(monitor.url)];
    case 'redis':
    case 'queue':
      return monitor.url === undefined ? [] : [placeOf(monitor.url)];
    case 'host':
      return [...(monitor.nodeExporter ?? []).map(placeOf), ...(monitor.ssh ?? []).map(machinePlace)];
    case 'prometheus':
      return [placeOf(monitor.url)];
    case 'cloudwatch':
      return [placeOf(cloudwatchUrl(monitor))];
  }
}

/** Where CloudWatch is asked: what the environment of AWS tools says of endpoints does not count, as no guard has seen it. */
export function cloudwatchUrl({ region, url }: { readonly region: string; readonly url?: string }): string {
  return url ?? `https://monitoring.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;
}
