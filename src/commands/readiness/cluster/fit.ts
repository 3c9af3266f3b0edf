import type { Cluster } from '../../../kubernetes/client.js';
import type { PodNeeds, PodRequest } from '../../../plan/pods.js';
import type { Profile } from '../../../profile/sections/schema.js';
import type { Finding } from '../../../reporters/doctor-table.js';
import { formatBytes } from '../../../reporters/sentences/capacity.js';

/** What a fleet of pods is held against its cluster with. */
export interface ClusterLook {
  readonly cluster: Cluster;
  readonly words: NonNullable<Profile['runners']['kubernetes']>;
  readonly runners: number;
  /** What the plan's pods ask for; undefined where nobody knows its load. */
  readonly needs: PodNeeds | undefined;
}

/** What all pods of a run ask for together, and each of both kinds. */
export interface Asked {
  readonly pods: number;
  readonly all: PodRequest;
  readonly runner: PodRequest;
  readonly conductor: PodRequest;
}

/** That, as far as the plan knows it. */
export function askedBy({ runners, needs }: ClusterLook): Asked | undefined {
  if (needs === undefined) return undefined;
  const { runner, cpus, memoryBytes, pods } = needs;
  const conductor = { cpus: cpus - runners * runner.cpus, memoryBytes: memoryBytes - runners * runner.memoryBytes };
  return { pods, all: { cpus, memoryBytes }, runner, conductor };
}

/** What nobody lets this account look at: a run may go well all the same. */
export function hidden(what: string, right: string): Finding {
  return { what, state: 'unknown', said: 'not allowed to see', more: `Optional: the right \`${right}\` would show it.` };
}

/** A number of what a resource's name says. */
export function amountText(resource: string, amount: number): string {
  if (/memory$|storage$/.test(resource)) return formatBytes(amount);
  return String(Math.round(amount * 100) / 100);
}
