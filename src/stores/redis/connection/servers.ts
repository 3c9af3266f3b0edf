import { translate } from './errors.js';
import type { RedisNode, Words } from './node.js';

/** The Redis of a store, one index of it: a single server, or the primaries of a cluster. */
export interface Servers {
  readonly store: string;
  readonly index: number;
  readonly isCluster: boolean;
  /** How many servers the keys are dealt to. */
  width(): number;
  /** How many bytes of a server's memory an answer takes at most that tells where the keys are; 0 where that is not asked. */
  answerBytes(): number;
  /**
   * Runs commands, each at the server that holds its key, in one pipeline a server. Each comes to an answer, in their
   * order; with an error of a connection that broke, or of a cluster that did not settle in time.
   */
  run(commands: readonly KeyCommand[]): Promise<readonly Answer[]>;
  /**
   * Does something at every server that holds keys; over again where another one has taken over its keys meanwhile.
   * What it came to, by the servers' names.
   */
  everywhere<T>(work: (node: RedisNode) => Promise<T>): Promise<ReadonlyMap<string, T>>;
  /** Waits until what was written is also at a replica, where a primary of a cluster has one: a failover would lose it. */
  replicate(): Promise<void>;
  /** Who holds the keys now, as a text: another one after a failover or a restart, which may bring deleted keys back. */
  holders(): Promise<string>;
  /** From here on the signal ends nothing any more; throws when it has. */
  seal(): void;
  close(): void;
}

/** A command about one key. */
export interface KeyCommand {
  readonly key: string | Buffer;
  readonly words: Words;
  /** How many bytes it may be answered with, where that is more than a few. */
  readonly answerBytes?: number;
}

/** What a command came to. */
export interface Answer {
  readonly error: Error | null;
  readonly value: unknown;
  /** host:port of the server that answered. */
  readonly node: string;
  /** It was sent before, to a server that went away without an answer: it may have been done twice. */
  readonly mayBeSecond: boolean;
}

/** The value of an answer; throws its error, translated. */
export function valueIn({ store }: Servers, answer: Answer | undefined): unknown {
  if (answer?.error) throw translate(answer.error, store, answer.node);
  return answer?.value;
}

/** Runs one command about a key and hands back its value and who answered. */
export async function runOne(servers: Servers, key: string | Buffer, ...words: Words): Promise<{ value: unknown; node: string }> {
  const [answer] = await servers.run([{ key, words }]);
  return { value: valueIn(servers, answer), node: answer?.node ?? '' };
}
