import { type LastSign, lastSign } from '../../core/liveness.js';
import type { Process, ProcessEnd } from '../../core/os.js';
import type { Milliseconds } from '../../core/quantities.js';
import type { BackendContext } from '../runner/types.js';
import { type Answer, orders, readAnswer } from './protocol.js';

/** How often an agent hears from its conductor, and answers: where an order went out just now, one beat is passed over, and never two. */
const heartbeatMs: Milliseconds = 500;
/** An agent that has not answered for so long is lost: its k6 end themselves by then. */
const silentMs: Milliseconds = 4000;
/** A login may take its time: a slow directory service, a chain of jump hosts. */
const loginMs: Milliseconds = 30_000;
const farewellMs: Milliseconds = 3000;

/** Whatever brings lines to an agent: its own process, ssh, a connection to where it runs. */
export type Carrier = Pick<Process, 'write' | 'kill' | 'ended'>;

/** An agent as its conductor speaks to it. */
export interface Agent {
  /** Its folder, where it runs. */
  readonly folder: string;
  order(text: string): void;
  /** Resolves with the next answer that begins so; with undefined when the agent is lost before it comes. */
  next(word: Answer['word'], of: string): Promise<Answer | undefined>;
  /** Hands all answers to `listener`, until the returned function is called; undefined when the agent is lost. */
  listen(listener: Listener): () => void;
  /** Resolves with how its carrier ended, and the agent with it. */
  readonly ended: Promise<ProcessEnd>;
  /** Has it end every k6 and leave nothing behind, and hangs up. */
  close(): Promise<void>;
}

type Listener = (answer: Answer | undefined) => void;

/** Waits for the agent at the other end of a carrier, which hands what it says to `hear`; how the carrier ended where none comes. */
export async function openAgent(
  carry: (hear: (line: string) => void) => Carrier,
  { clock, signal }: Pick<BackendContext, 'clock' | 'signal'>,
): Promise<Agent | ProcessEnd> {
  const gone = new AbortController();
  const sign = lastSign(clock);
  const { next, listen, tell } = exchange(gone.signal);
  const carrier = carry((line) => {
    const answer = readAnswer(line);
    if (answer === undefined) return;
    sign.hear();
    tell(answer);
  });
  const ended = carrier.ended.then((end) => {
    gone.abort();
    tell(undefined);
    return end;
  });
  const hangUp = async (after: Promise<void>, unless: AbortSignal) => {
    await after;
    if (!unless.aborted) carrier.kill('SIGKILL');
  };
  const here = new AbortController();
  void hangUp(clock.sleep(loginMs, AbortSignal.any([here.signal, signal])), here.signal);
  const ready = await next('ready', 'agent').finally(() => here.abort());
  if (ready === undefined) return tooLate(await ended);
  const said = lastSign(clock);
  void keepAlive(carrier, { sign, said }, gone.signal);
  return {
    folder: ready.text,
    order: (text) => {
      said.hear();
      carrier.write(text);
    },
    next,
    listen,
    ended,
    close: async () => {
      carrier.write(orders.bye);
      await Promise.all([ended, hangUp(clock.sleep(farewellMs, gone.signal), gone.signal)]);
    },
  };
}

const tooLate = (end: ProcessEnd) => (end.signal === 'SIGKILL' ? { error: `no answer within ${loginMs / 1000} s` } : end);

/** Beats, and listens: an agent that does not answer any more is cut off here, as its runners are there. */
async function keepAlive(carrier: Carrier, { sign, said }: Readonly<Record<'sign' | 'said', LastSign>>, gone: AbortSignal): Promise<void> {
  sign.hear();
  let isPassedOver = false;
  while (!gone.aborted) {
    isPassedOver = !isPassedOver && said.silentMs() < heartbeatMs;
    if (!isPassedOver) carrier.write(orders.beat);
    await sign.tick(heartbeatMs, gone);
    if (sign.silentMs() > silentMs) carrier.kill('SIGKILL');
  }
}

/** Where answers come in, and whoever waits for one gets it. */
function exchange(gone: AbortSignal): Pick<Agent, 'next' | 'listen'> & { readonly tell: Listener } {
  const listeners = new Set<Listener>();
  const listen: Agent['listen'] = (listener) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  };
  const next: Agent['next'] = (word, of) =>
    new Promise((resolve) => {
      if (gone.aborted) return resolve(undefined);
      const stop = listen((answer) => {
        if (answer !== undefined && (answer.word !== word || answer.of !== of)) return;
        stop();
        resolve(answer);
      });
    });
  const tell: Listener = (answer) => {
    for (const listener of listeners) listener(answer);
  };
  return { listen, next, tell };
}
