/** Where data lies: a store, and which of its shards; null where it has none. */
export interface DataPlace {
  readonly store: string;
  readonly shard: number | null;
}

/** A piece of work that takes a while. */
export type Work =
  /** Asking the target whether it is up. */
  | { readonly kind: 'look-at-target'; readonly url: string }
  /** Building k6 with Go: some minutes. */
  | { readonly kind: 'build-k6'; readonly k6Version: string; readonly go: string }
  /** Making one archive of the script; the path as people would type it. */
  | { readonly kind: 'archive-script'; readonly script: string }
  /** Looking once by every monitor of the servers. */
  | { readonly kind: 'start-monitors'; readonly monitors: number }
  /** Starting the runners, until each has its VUs. */
  | { readonly kind: 'start-runners'; readonly runners: number }
  /** Looking at the data before anything is changed. */
  | { readonly kind: 'check-data' }
  /** Deleting what the test wrote, until nothing more turns up. */
  | { readonly kind: 'delete-test-data' }
  /** Taking out seeded rows that nobody changed. */
  | { readonly kind: 'take-out-seeded' }
  /** Counting what is not test data. */
  | { readonly kind: 'count-others' }
  /** Filling one table or set of keys. */
  | ({ readonly kind: 'seed'; readonly what: string } & DataPlace)
  /** Deleting the rows of one cleanup entry. */
  | ({ readonly kind: 'delete'; readonly what: string } & DataPlace)
  /** Taking out the seeded rows of one table. */
  | ({ readonly kind: 'take-out'; readonly what: string } & DataPlace);

/** What came of a piece of work. */
export type WorkResult =
  | { readonly result: 'healthy' }
  /** A target without a health endpoint answered, whatever it said. */
  | { readonly result: 'answered'; readonly status: number }
  /** The same, in another protocol than HTTP/1.1. */
  | { readonly result: 'answered-otherwise' }
  /** It let itself be connected to, which is all that was asked. */
  | { readonly result: 'connected' }
  | { readonly result: 'archived'; readonly k6Version: string; readonly sha256: string }
  | { readonly result: 'built' }
  | { readonly result: 'ready' }
  | { readonly result: 'watching' }
  | { readonly result: 'nothing-in-the-way' }
  /** So many entries stay, and with them what they refer to: the receipt says why. */
  | { readonly result: 'some-stay'; readonly entries: number }
  /** `left`: whether rows are still there, though deleting gave no error. */
  | { readonly result: 'swept'; readonly left: boolean }
  | { readonly result: 'taken-out'; readonly dryRun: boolean }
  | { readonly result: 'counted'; readonly tables: number }
  | { readonly result: 'deleted'; readonly rows: number }
  | {
      readonly result: 'seeded';
      readonly created: number;
      readonly alreadyThere: number;
      /** How many were gone when they were read back, and were written once more. */
      readonly writtenAgain: number;
      readonly perSecond: number;
      readonly unit: 'rows' | 'entries';
    };
