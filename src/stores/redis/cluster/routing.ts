import { LoadctlError } from '../../../core/errors.js';
import type { Milliseconds } from '../../../core/quantities.js';
import { together } from '../../kind/together.js';
import { type Address, addressText } from '../connection/address.js';
import { isRefusal, mayPass, notSettled, replyError } from '../connection/errors.js';
import type { Reply, Words } from '../connection/node.js';
import type { Answer, KeyCommand } from '../connection/servers.js';
import type { Patience } from './patience.js';
import { type Redirect, redirectOf } from './redirects.js';
import type { Cluster } from './types.js';

/** A command on its way: where it goes, and what became of it before. */
interface Pending {
  readonly index: number;
  readonly command: KeyCommand;
  /** The node that a slot is moving to: it serves the slot only to those who say ASKING. */
  readonly ask?: Address;
  readonly mayBeSecond: boolean;
}

interface Outcome {
  readonly pending: Pending;
  readonly asked: Address | undefined;
  /** host:port of it; empty where no node holds the slot. */
  readonly node: string;
  readonly reply: Reply;
  /** Whether it may have reached the server. */
  readonly wasSent: boolean;
}

/**
 * Runs each command at the node that holds its key's slot, one pipeline a node. Who is sent on goes on; what may pass
 * by itself is tried again as long as `patience` lasts, and comes to an error then.
 *
 *   send ── answered ───────────────────────────────→ answer
 *     ↑ ├── MOVED ─────── ask for the map anew ──┐
 *     ↑ ├── ASK ───────── ASKING, the other node ┤
 *     ↑ └── broken, CLUSTERDOWN, … ── wait a bit ┤
 *     └──────────────────────────────────────────┘
 */
export async function runRouted(
  cluster: Cluster,
  commands: readonly KeyCommand[],
  patience: Patience,
  patienceMs: Milliseconds,
): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  let open = commands.map((command, index): Pending => ({ index, command, mayBeSecond: false }));
  for (let round = 1; open.length > 0; round++) {
    const again: Outcome[] = [];
    for (const { group, replies, wasSent } of await together(groupsOf(cluster, open), (each) => sendGroup(cluster, each))) {
      group.pending.forEach((pending, at) => {
        const { asked, node } = group;
        const outcome: Outcome = { pending, asked, node, reply: replies[at] ?? [unserved, null], wasSent };
        if (isToRepeat(outcome)) again.push(outcome);
        else answers[pending.index] = answerOf(outcome);
      });
    }
    const gaveUp = await settle(cluster, again, patience, { round, patienceMs });
    if (gaveUp !== undefined) {
      for (const outcome of again) answers[outcome.pending.index] = answerOf({ ...outcome, reply: [gaveUp, null] });
      break;
    }
    open = again.map(nextTry);
  }
  return answers;
}

function redirectOfOutcome({ reply: [error], asked }: Outcome): Redirect | undefined {
  return asked && redirectOf(error, asked);
}

function isToRepeat(outcome: Outcome): boolean {
  const [error] = outcome.reply;
  return error !== null && (redirectOfOutcome(outcome) !== undefined || mayPass(error));
}

function nextTry(outcome: Outcome): Pending {
  const { pending, reply, wasSent } = outcome;
  const redirect = redirectOfOutcome(outcome);
  const isLost = wasSent && reply[0] !== null && !isRefusal(reply[0]);
  return {
    index: pending.index,
    command: pending.command,
    mayBeSecond: pending.mayBeSecond || isLost,
    ...(redirect?.kind === 'ASK' ? { ask: redirect.address } : {}),
  };
}

function answerOf({ pending, node, reply: [error, value] }: Outcome): Answer {
  return { error, value, node, mayBeSecond: pending.mayBeSecond };
}

/** What Redis itself says of a slot that is not served. */
const unserved = replyError('CLUSTERDOWN Hash slot not served');

/** How often a command may be sent on at once. Nodes that do not agree yet send it to and fro. */
const hops = 4;

/** Makes ready for the next round: a pause where one helps, the map as it is by now. Hands back why there is none. */
async function settle(
  cluster: Cluster,
  again: readonly Outcome[],
  patience: Patience,
  { round, patienceMs }: { readonly round: number; readonly patienceMs: Milliseconds },
): Promise<LoadctlError | undefined> {
  const redirects = again.map(redirectOfOutcome);
  const stuck = again.find((_, index) => redirects[index] === undefined);
  const moves = redirects.filter((redirect) => redirect?.kind === 'MOVED');
  try {
    if ((stuck !== undefined || round > hops) && again.length > 0 && !(await patience.wait())) {
      const worst = stuck ?? again[0];
      return notSettled(worst?.reply[0], cluster.store, worst?.node || cluster.name, patienceMs);
    }
    if (stuck !== undefined || moves.length > 0) await cluster.refresh();
  } catch (error) {
    if (error instanceof LoadctlError && error.reason !== 'interrupted') return error;
    throw error;
  }
  for (const move of moves) if (move !== undefined) cluster.map().move(move.slot, move.address);
  return undefined;
}

/** What goes to one node. */
interface Group extends Pick<Outcome, 'asked' | 'node'> {
  readonly pending: Pending[];
}

function groupsOf(cluster: Cluster, open: readonly Pending[]): Group[] {
  const [byAddress, byName] = [new Map<Address | undefined, Group>(), new Map<string, Group>()];
  for (const each of open) {
    const asked = each.ask ?? cluster.map().ownerOf(each.command.key);
    let group = byAddress.get(asked);
    if (group === undefined) {
      const node = asked === undefined ? '' : addressText(asked);
      group = byName.get(node) ?? { asked, node, pending: [] };
      byAddress.set(asked, group);
      byName.set(node, group);
    }
    group.pending.push(each);
  }
  return [...byName.values()];
}

/** What a group came to, one reply for each that is pending; none where no node is known for it. */
interface Sent {
  readonly group: Group;
  readonly replies: readonly (Reply | undefined)[];
  readonly wasSent: boolean;
}

async function sendGroup(cluster: Cluster, group: Group): Promise<Sent> {
  const { asked, pending } = group;
  if (asked === undefined) return { group, replies: [], wasSent: false };
  try {
    const node = await cluster.node(asked);
    const replies = await node.send(...withAsking(pending));
    if (replies.some(([error]) => error !== null && !isRefusal(error))) cluster.drop(node.name);
    return { group, replies: withoutAsking(replies, pending), wasSent: true };
  } catch (error) {
    const reason = error instanceof Error ? error : new Error(String(error));
    return { group, replies: pending.map((): Reply => [reason, null]), wasSent: false };
  }
}

/** The commands, with ASKING before each that needs it, and how many bytes each may be answered with. */
function withAsking(group: readonly Pending[]): [Words[], (number | undefined)[]] {
  const [words, answers]: [Words[], (number | undefined)[]] = [[], []];
  for (const { command, ask } of group) {
    if (ask !== undefined) {
      words.push(['ASKING']);
      answers.push(undefined);
    }
    words.push(command.words);
    answers.push(command.answerBytes);
  }
  return [words, answers];
}

/** The commands' own replies: before each that was asked for comes that to ASKING. */
function withoutAsking(replies: readonly Reply[], group: readonly Pending[]): (Reply | undefined)[] {
  let at = 0;
  return group.map(({ ask }) => {
    if (ask) at++;
    return replies[at++];
  });
}
