import type { PerSecond } from './quantities.js';

/** Why a load does not fit its hosts, or one of its runners. `hosts` and `runners` are how many would do. */
export type CapacityProblem = { readonly host: string; readonly vus: number } & (
  | {
      readonly of: 'ports';
      /** Whether it cannot work; else it probably will not. */
      readonly certain: boolean;
      readonly ports: number;
      /** Addresses that connections come from, and go to. */
      readonly from: number;
      readonly to: number;
      readonly hosts: number;
    }
  | { readonly of: 'open files'; readonly certain: boolean; readonly needed: number; readonly has: number; readonly runners: number }
  | { readonly of: 'memory'; readonly certain: false; readonly neededBytes: number; readonly freeBytes: number; readonly hosts: number }
  | {
      readonly of: 'CPUs';
      readonly certain: false;
      readonly requestsPerSecond: PerSecond;
      readonly needed: number;
      readonly has: number;
      readonly hosts: number;
    }
);
