import type { Beside } from '../../core/beside.js';
import { errorMessage } from '../../core/errors.js';
import type { Emit, LoggedEvent } from '../../core/events.js';
import type { RunId } from '../../core/ids.js';
import type { World } from '../../core/os.js';
import type { Milliseconds } from '../../core/quantities.js';
import { redactData } from '../../core/redact-data.js';
import type { Redactor } from '../../core/redactor.js';
import type { Whole } from '../../core/secrets.js';
import { callAfter } from '../../core/timer.js';
import type { LiveNumbers } from '../../metrics/live-numbers.js';
import type { DeliveryNews } from '../../outputs/delivery/books.js';
import { type Delivery, deliver } from '../../outputs/delivery/deliver.js';
import { amountOf } from '../../outputs/delivery/queue.js';
import { contextOf, openOutput } from '../../outputs/index.js';
import type { KeptLine } from '../../outputs/kind/kept-line.js';
import type { Message } from '../../outputs/kind/message.js';
import type { Output, Parcel } from '../../outputs/kind/types.js';
import { calm } from '../../outputs/messages/calm.js';
import { dashboardOf } from '../../outputs/messages/dashboard.js';
import { messagesOf } from '../../outputs/messages/of-run.js';
import { type Access, withSecrets } from '../../plan/access.js';
import type { PlannedOutput } from '../../plan/outputs.js';
import type { Plan } from '../../plan/plan.js';
import { keepBacklog, keepOwed } from '../../runs/backlog.js';
import { ciLink } from '../../runs/ci-link.js';
import { runFiles } from '../../runs/layout.js';
import type { RunDirectory } from '../../runs/write.js';
import { cleanNumbers } from './clean-numbers.js';
import { judgedLimits } from './judged-limits.js';
import { payOwed } from './pay-owed.js';
import { steadyTime } from './steady-time.js';

/** What outputs are opened with. */
export interface Opening {
  readonly plan: Plan;
  readonly access: Access;
  readonly world: World;
  readonly version: string;
  readonly redact: Redactor;
  readonly emit: Emit;
  readonly beside: Beside;
}

/** Everything that hears of a command while it goes on, and that it never waits for. */
export interface Outputs {
  /** Hears of an event without secrets; never throws, never waits. */
  hear(event: LoggedEvent): void;
  /** Where what is not sent by the end is kept. */
  keepIn(directory: RunDirectory): void;
  /** Reads these numbers with every line of timeseries.ndjson. */
  watchNumbers(numbers: LiveNumbers): void;
  /** Sends what is left, for a while or until `killed`; what is left then is told of, and kept. */
  finish(signals: { readonly interrupted: AbortSignal; readonly killed: AbortSignal }): Promise<void>;
}

/** An output with its way out. */
interface Opened {
  readonly planned: PlannedOutput;
  readonly output: Output;
  readonly delivery: Delivery;
  readonly end: () => Promise<void>;
}

const keptFiles = ['timeseries', 'monitors', 'generators'] as const;

/** The end of a command waits so long for outputs that are behind; one that was interrupted has to be over soon. */
const flushMs: Milliseconds = 10_000;
const hurriedFlushMs: Milliseconds = 2000;

/** Opens the outputs of a plan; nothing is sent before something is heard. */
export function openOutputs(opening: Opening): Outputs {
  const { plan, access, world, redact } = opening;
  const whole = withSecrets(plan, access);
  const { outputs } = whole;
  const opened = outputs.map((planned) => openOne(planned, opening));
  const [link, dashboard] = [ciLink(world.env), dashboardOf(outputs)];
  const pages = { ...(link === undefined ? {} : { link }), ...(dashboard === undefined ? {} : { dashboard }) };
  const toMessage = messagesOf({ plan, by: world.who, ...pages });
  const calmed = calm();
  const steady = steadyTime();
  const toGraphs = judgedLimits(plan);
  let directory: RunDirectory | undefined;
  let numbers: LiveNumbers | undefined;
  const hearLine = (given: KeptLine) => {
    const kept = { ...given, line: steady(given.line) } as KeptLine;
    for (const { output, delivery } of opened) {
      delivery.put(output.kept?.(kept) ?? []);
      if (kept.file === 'timeseries' && numbers !== undefined) delivery.put(output.counted?.(numbers, kept.line) ?? []);
    }
  };
  const tell = (message: Message) => {
    const clean = redactData(message, redact);
    for (const { planned, output, delivery } of opened)
      if ('on' in planned && planned.on.some((occasion) => occasion === message.occasion)) delivery.put(output.told?.(clean) ?? []);
  };
  const owe = () => {
    const kept = directory;
    if (kept !== undefined) for (const one of opened) oweBy(one, kept);
  };
  const settled = opened.some(({ output }) => output.owed !== undefined) ? settle(whole, opening) : undefined;
  return {
    hear: (event) => {
      if (opened.length === 0) return;
      const steadied = toGraphs(steady(event));
      for (const { output, delivery } of opened) delivery.put(output.heard?.(steadied) ?? []);
      const message = toMessage(event);
      const now = message && calmed.take(message);
      const due = [...calmed.due(event.t), ...(now === undefined ? [] : [now])];
      for (const one of due) tell(one);
      if (due.length > 0) owe();
    },
    keepIn: (kept) => {
      directory = kept;
      kept.onAppend((name, line) => {
        const file = keptFiles.find((one) => runFiles[one] === name);
        // What is written into these files has their lines' types.
        if (file !== undefined) hearLine({ file, line } as KeptLine);
      });
    },
    watchNumbers: (given) => {
      numbers = cleanNumbers(given, redact);
    },
    finish: async ({ interrupted, killed }) => {
      const limitMs = interrupted.aborted ? hurriedFlushMs : flushMs;
      await Promise.all([settled?.(limitMs, killed), ...opened.map((one) => flush(one, limitMs, killed))]);
      await Promise.all(opened.map((one) => tellMissing(one, opening, killed)));
      for (const one of opened) tellRest(one, opening.emit, directory);
    },
  };
}

function openOne(planned: PlannedOutput, { plan, world, version, redact, emit, beside }: Opening): Opened {
  const { clock } = world;
  const output = openOutput(planned, contextOf(plan, { version, clock, redact }));
  const tell = (news: DeliveryNews) => tellNews(news, planned.name, output, emit);
  const delivery = deliver(output, { clock, tell });
  const end = beside((over) => delivery.run(over).catch((error: unknown) => tell({ is: 'refused', why: errorMessage(error) })));
  return { planned, output, delivery, end };
}

function oweBy({ planned, output }: Opened, directory: RunDirectory, owes = true): void {
  if (output.owed === undefined) return;
  try {
    keepOwed(directory, planned.name, owes ? output.owed() : []);
  } catch {
    // A disk that is full is told of by the run's own files; no run ends for an output.
  }
}

/** Whether it is there for `loadctl resend`. */
function isKept(parcels: readonly Parcel[], output: string, directory: RunDirectory): boolean {
  try {
    keepBacklog(directory, output, parcels);
    return true;
  } catch {
    return false;
  }
}

type Settled = (limitMs: Milliseconds, killed: AbortSignal) => Promise<void>;

/** Begins to send what killed runs owe; hands back what waits for it a while, and ends it. */
function settle(plan: Whole<Plan>, { world, version, redact, emit, beside }: Opening): Settled {
  const paid = (run: RunId, output: string) => emit({ type: 'noted', code: 'output-settled', output, run });
  let going: Promise<void> = Promise.resolve();
  const end = beside((over) => {
    going = payOwed({ plan, world, version, redact, over, paid });
    return going;
  });
  return async (limitMs, killed) => {
    const given = new AbortController();
    const stop = () => given.abort();
    killed.addEventListener('abort', stop, { once: true });
    await Promise.race([going.catch(() => undefined), world.clock.sleep(limitMs, given.signal)]);
    stop();
    await end();
  };
}

function tellNews(news: DeliveryNews, output: string, { unit }: Output, emit: Emit): void {
  if (news.is === 'behind') emit({ type: 'warned', code: 'output-behind', output, why: news.why });
  else if (news.is === 'refused') emit({ type: 'warned', code: 'output-refused', output, why: news.why });
  else emit({ type: 'noted', code: 'output-back', output, forMs: news.forMs, lost: news.lost, unit });
}

async function flush({ output, delivery, end }: Opened, limitMs: Milliseconds, killed: AbortSignal): Promise<void> {
  delivery.put(output.closing?.() ?? []);
  await delivery.flushed(limitMs, killed);
  await end();
}

const lookMs: Milliseconds = 5000;

/** A receiver may take what it does not keep: only a look tells. Where something waits still, there is nothing to look for yet. */
async function tellMissing({ planned, output, delivery }: Opened, { world, emit }: Opening, killed: AbortSignal): Promise<void> {
  if (output.missing === undefined || delivery.rest().length > 0 || killed.aborted) return;
  const late = new AbortController();
  const inTime = callAfter(world.clock, lookMs, () => late.abort());
  const missing = await output.missing(late.signal).catch((error: unknown) => `it cannot be asked by \`query\` (${errorMessage(error)})`);
  inTime();
  if (missing !== undefined) emit({ type: 'warned', code: 'output-refused', output: planned.name, why: missing });
}

function tellRest(one: Opened, emit: Emit, directory: RunDirectory | undefined): void {
  const {
    planned: { name },
    output: { unit },
    delivery,
  } = one;
  const rest: readonly Parcel[] = delivery.rest();
  const left = amountOf(rest, unit);
  const kept = directory !== undefined && left > 0 && isKept(rest, name, directory) ? left : 0;
  const lost = delivery.lost() + left - kept;
  // What is kept for `loadctl resend` is not owed to others.
  if (directory !== undefined) oweBy(one, directory, kept === 0);
  if (kept + lost === 0) return;
  const command = directory === undefined || kept === 0 ? {} : { command: `loadctl resend ${directory.run}` };
  emit({ type: 'warned', code: 'output-incomplete', output: name, kept, lost, unit, ...command });
}
