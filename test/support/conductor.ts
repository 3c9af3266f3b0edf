import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { planProfile } from '../../src/commands/call/profile.js';
import { type HandInTerms, handInOf } from '../../src/commands/cluster/hand-in-of.js';
import type { LoggedEvent } from '../../src/core/events.js';
import { makeRunId } from '../../src/core/ids.js';
import { openRedactor } from '../../src/core/redactor.js';
import { type DoorAway, type DoorClient, doorClient } from '../../src/door/client.js';
import type { Collecting } from '../../src/door/collect.js';
import { type Following, followDoor } from '../../src/door/follow.js';
import { packHandIn } from '../../src/door/hand-in.js';
import { sha256Of } from '../../src/door/protocol.js';
import { openWorld } from '../../src/world.js';
import type { Workplace } from './loadctl.js';

const world = openWorld();
const { clock } = world;

/** A real conductor's process, waiting on loopback. */
export interface WaitingConductor extends ReturnType<Workplace['start']> {
  readonly port: number;
  readonly token: string;
  readonly door: DoorClient;
}

/** Starts `loadctl conduct` in a place. */
export async function startConductor(
  place: Workplace,
  { env = {}, args = [] }: { env?: Record<string, string>; args?: string[] } = {},
): Promise<WaitingConductor> {
  const token = randomBytes(24).toString('hex');
  const started = place.start(['conduct', '--port', '0', ...args], { LOADCTL_HAND_IN: sha256Of(token), ...env });
  let said = '';
  const port = await new Promise<number>((resolve, reject) => {
    started.process.stdout?.on('data', (text: string) => {
      said += text;
      const found = /Waiting for the hand-in at 127\.0\.0\.1:(\d+)\./.exec(said);
      if (found !== null) resolve(Number(found[1]));
    });
    void started.said.then(({ stderr }) => reject(new Error(`the conductor ended: ${stderr}`)));
  });
  return { ...started, port, token, door: doorClient(dialTo(port), clock) };
}

/** Connections to a port of loopback; `on` gets each of them. */
export function dialTo(port: number, on: (socket: Socket) => void = () => {}): () => Promise<Duplex> {
  return () =>
    new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('error', reject).once('connect', () => {
        socket.off('error', reject);
        on(socket);
        resolve(socket);
      });
    });
}

/** The door of a conductor over connections of the test's own making. */
export function doorOver(dial: () => Promise<Duplex>): DoorClient {
  return doorClient(dial, clock);
}

/** The tar that `loadctl run` would hand in for a place's profile. */
export async function handInFor(
  place: Workplace,
  {
    env = {},
    set = [],
    scriptEnv = [],
    patience = {},
  }: { env?: Record<string, string>; set?: string[]; scriptEnv?: string[]; patience?: Partial<HandInTerms> } = {},
): Promise<Buffer> {
  const shell = { ...world, cwd: place.folder, env };
  const style = {
    json: false,
    ci: false,
    quiet: false,
    colour: { stdout: false, stderr: false },
    animated: false,
    canDraw: false,
    unicode: true,
  };
  const call = { shell, version: '0.0.0', args: [], options: { env: 'dev', set, e: scriptEnv }, style, redact: openRedactor() };
  return packHandIn(
    handInOf(call, await planProfile(call, 'optional'), {
      command: 'run',
      options: {},
      run: makeRunId(clock.stamp()),
      keepMs: 60_000,
      ...patience,
    }),
  );
}

/** Follows a conductor to the end of its run; `fails` is how often it was out of reach. */
export async function followed(
  door: DoorClient,
  on: (event: LoggedEvent) => void = () => {},
  tries = 50,
): Promise<{ events: LoggedEvent[]; fails: number }> {
  const events: LoggedEvent[] = [];
  let fails = 0;
  const away = async (error: DoorAway, times: number) => {
    fails += 1;
    if (times > tries) throw error;
  };
  const take = (event: LoggedEvent) => {
    events.push(event);
    on(event);
  };
  await followDoor(door, take, { clock, signal: new AbortController().signal, away });
  return { events, fails };
}

/** What following and copying need besides a door. */
export const patiently: Following & Pick<Collecting, 'damaged'> = {
  clock,
  signal: new AbortController().signal,
  away: async (error, times) => {
    if (times > 50) throw error;
  },
  damaged: () => {},
};
