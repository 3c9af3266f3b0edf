import { isIP } from 'node:net';
import type { RedisStore } from '../../../profile/sections/schema.js';

/** Where a Redis server listens. */
export interface Address {
  /** A name or an address, without brackets. */
  readonly host: string;
  readonly port: number;
}

/** host:port, with brackets around an IPv6 address: how a node is called. */
export function addressText({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Reads `host:port`, as profiles (`[::1]:7000`) and redirections (`::1:7000`) have it. */
export function readAddress(text: string): Address {
  const colon = text.lastIndexOf(':');
  return { host: text.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(text.slice(colon + 1)) };
}

/** Whether a host is an address, and no name that a certificate could be for. */
export function isAddress(host: string): boolean {
  return isIP(host) !== 0;
}

/** The nodes of a cluster that a profile names. */
export function listedNodes({ cluster = [] }: RedisStore): Address[] {
  return cluster.map(readAddress);
}
