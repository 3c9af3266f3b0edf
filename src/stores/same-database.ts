import type { Profile, Store } from '../profile/sections/schema.js';
import type { TableName } from '../profile/words/names.js';

/** The tables that cleanup lists under other names of the databases which some stores lead to: as another role, or by another spelling of the host. */
export function listedBeside({ stores, cleanup }: Pick<Profile, 'stores' | 'cleanup'>, names: readonly string[]): TableName[] {
  const here = names.flatMap((name) => databasesOf(stores[name]));
  return (cleanup?.rows ?? []).filter(
    ({ store }) => !names.includes(store) && databasesOf(stores[store]).some((database) => here.includes(database)),
  );
}

function databasesOf(store: Store | undefined): string[] {
  return store?.kind === 'postgres' ? [...(store.url === undefined ? [] : [store.url]), ...(store.shards ?? [])].map(database) : [];
}

function database(url: string): string {
  if (!URL.canParse(url)) return url;
  const { hostname, port, pathname } = new URL(url);
  return `${/^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname) ? 'localhost' : hostname}:${port || 5432}${pathname}`;
}
