import { type Address, addressText, isAddress } from '../connection/address.js';
import { slotCount } from './slots.js';

/** What a cluster's nodes say of themselves at one moment. */
export interface Topology {
  /** Nodes that hold keys: those with slots, and those without that slots may be on their way to. */
  readonly primaries: readonly Primary[];
  /** Every node, primary or replica, that is or may become the home of keys. */
  readonly nodes: readonly Address[];
  /** Whether every slot has an owner. */
  readonly isWhole: boolean;
  /** How many bytes of a node's memory its answer takes, at most. */
  readonly answerBytes: number;
}

export interface Primary {
  readonly address: Address;
  /** Its slots, as ranges with both ends in them. */
  readonly ranges: readonly (readonly [from: number, to: number])[];
  readonly hasReplica: boolean;
}

/** Reads the answers to CLUSTER SLOTS and CLUSTER NODES of a node that was `asked`; without the second where an ACL forbids it. */
export function readTopology(slots: unknown, nodes: unknown, asked: Address): Topology {
  const rows = listOf(slots).map((row) => readRow(row, asked));
  const byName = new Map<string, Primary>();
  for (const { range, primary, replicas } of rows) {
    const name = addressText(primary);
    const ranges = [...(byName.get(name)?.ranges ?? []), range];
    byName.set(name, { address: primary, ranges, hasReplica: replicas.length > 0 });
  }
  const addresses = rows.flatMap(({ primary, replicas }) => [primary, ...replicas]);
  const empty = emptyPrimaries(nodes, addresses).map((address): Primary => ({ address, ranges: [], hasReplica: false }));
  const primaries = [...byName.values(), ...empty];
  const all = new Map([...addresses, ...empty.map(({ address }) => address)].map((address) => [addressText(address), address]));
  const owned = rows.reduce((sum, { range: [from, to] }) => sum + to - from + 1, 0);
  return { primaries, nodes: [...all.values()], isWhole: owned === slotCount, answerBytes: mostBytes(nodes) };
}

/** So much a node takes in a row of CLUSTER SLOTS besides its address and its hostname, which stand there twice at most. */
const nodeBytes = 100;

/**
 * How many bytes of a node's memory its answer to CLUSTER SLOTS takes at most, by CLUSTER NODES: a row for each range of slots with all
 * nodes that hold it, and a copy of the answer that the node keeps (Redis 7). Without CLUSTER NODES, for slots that were dealt one by one.
 */
export function mostBytes(nodes: unknown): number {
  const rows = textOf(nodes)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(' '));
  if (rows.length === 0) return 2 * slotCount * 2 * nodeBytes;
  const bytesOf = ([, place = '']: readonly string[]) => nodeBytes + 2 * place.length;
  const ranges = ([, , , , , , , , ...slots]: readonly string[]) => slots.filter((slot) => !slot.startsWith('[')).length;
  const perRow = (row: readonly string[]) =>
    [row, ...rows.filter(([, , , primary]) => primary === row[0])].reduce((sum, each) => sum + bytesOf(each), 0);
  return 2 * rows.reduce((sum, row) => sum + ranges(row) * perRow(row), 0);
}

/** The slots that are on their way to the node that was asked: of others it does not tell. By CLUSTER NODES: `[94-<-id]`. */
export function importedSlots(nodes: unknown): number[] {
  const own = textOf(nodes)
    .split('\n')
    .find((line) => line.split(' ')[2]?.split(',').includes('myself'));
  return [...(own ?? '').matchAll(/\[(\d+)-<-/g)].map(([, slot]) => Number(slot));
}

interface Row {
  readonly range: readonly [from: number, to: number];
  readonly primary: Address;
  readonly replicas: readonly Address[];
}

/** A row of CLUSTER SLOTS: from, to, the primary, its replicas. */
function readRow(row: unknown, asked: Address): Row {
  const [from, to, primary, ...replicas] = listOf(row);
  return {
    range: [Number(from), Number(to)],
    primary: readEndpoint(primary, asked),
    replicas: replicas.map((replica) => readEndpoint(replica, asked)),
  };
}

/** `[endpoint, port, id, metadata]`. No endpoint means: that which was asked; `?`: it has no name, its metadata has the address. */
function readEndpoint(node: unknown, asked: Address): Address {
  const [endpoint, port, , metadata] = listOf(node);
  const host = textOf(endpoint);
  const known = listOf(metadata).map(textOf);
  const address = known[known.indexOf('ip') + 1];
  if (host === '?') return { host: address ?? asked.host, port: Number(port) };
  return { host: host === '' ? asked.host : host, port: Number(port) };
}

/**
 * Primaries without slots, by CLUSTER NODES: `id ip:port@bus,hostname flags primary … slots`. They are called by the
 * names that the others are called by.
 */
function emptyPrimaries(nodes: unknown, others: readonly Address[]): Address[] {
  const byName = others.some(({ host }) => !isAddress(host));
  return textOf(nodes)
    .split('\n')
    .map((line) => line.trim().split(' '))
    .filter(([, , flags = '', , , , , , ...slots]) => isLivePrimary(flags.split(',')) && slots.every((slot) => slot.startsWith('[')))
    .flatMap(([, place = '']) => {
      const [, ip = '', port = '', hostname = ''] = /^(.*):(\d+)@\d+(?:,([^,=]*))?/.exec(place) ?? [];
      const host = byName && hostname !== '' ? hostname : ip;
      return host === '' || port === '0' ? [] : [{ host, port: Number(port) }];
    });
}

function isLivePrimary(flags: readonly string[]): boolean {
  return flags.includes('master') && !flags.some((flag) => ['fail', 'handshake', 'noaddr'].includes(flag));
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function textOf(value: unknown): string {
  return Buffer.isBuffer(value) || typeof value === 'string' ? value.toString() : '';
}
