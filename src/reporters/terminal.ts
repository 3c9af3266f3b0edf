import type { LoggedEvent } from '../core/events.js';
import type { ServerSample } from '../core/monitors.js';
import type { Milliseconds } from '../core/quantities.js';
import { errorText, isTold } from './error-text.js';
import { fullView } from './full-view.js';
import { liveView } from './live-view.js';
import { type LiveSecond, type LoadFold, loadFold } from './load-now.js';
import { noPaint } from './paint.js';
import { type Painter, painter } from './painter.js';
import { lineOf } from './plain.js';
import { redrawn } from './redrawn.js';
import { makeTables, showResult } from './results.js';
import { makeTeller } from './sentences/index.js';
import { took } from './sentences/words.js';
import { resultText } from './sentences/work.js';
import { followSteps, type OpenStep, oneStep, progressBar, progressText } from './step-progress.js';
import type { MakeReporter, ReporterOptions } from './types.js';
import { shorten, textWidth } from './width.js';
import { wrapLines } from './wrap.js';

/** What the spinner itself and the edge of the screen take. */
const margin = 6;
/** What the full view needs to show by itself. */
const leastSize = { width: 80, height: 24 };

/** For people: a spinner for what is going on now, a live view while there is load, a line for what is done. */
export const terminalReporter: MakeReporter = async (options) => {
  const { talkPaint: paint } = options;
  const tell = makeTeller();
  const tables = makeTables(options);
  const stage = await openStage(options);
  const { under, fold } = stage;

  return {
    handle(event) {
      const finished = finishedStep(event, under, paint);
      followSteps(event, under);
      const sentence = tell(event);
      fold.add(event, sentence);
      stage.hear(event);
      const { talk } = options;
      if (finished !== undefined) stage.say(() => `${wrapLines([finished], talk.width).join('\n')}\n`);
      if (sentence !== undefined && sentence.tone !== 'faint') stage.say(() => `${lineOf(sentence, options)}\n`);
      if (isTold(event)) stage.say(() => errorText(event.error, paint.bad, talk.width));
      const result = tables(event);
      if (result !== undefined && options.results) {
        stage.clear();
        showResult(result, options.results);
      }
      stage.show();
    },
    close: stage.close,
  };
};

/** Where it is shown: the lines that stay, and below them or instead of them what goes on now. */
interface Stage {
  /** The steps that are under way. */
  readonly under: Map<string, OpenStep>;
  readonly fold: LoadFold;
  hear(event: LoggedEvent): void;
  /** Writes a text that stays; on a screen that is taken as a whole, once it is given back. */
  say(text: () => string): void;
  /** Shows what goes on now; soon, so that what happens at once is drawn at once. */
  show(): void;
  /** Takes all away that is only for now. */
  clear(): void;
  close(): void;
}

async function openStage({ talk, talkPaint: paint, view = 'auto', unicode = true }: ReporterOptions): Promise<Stage> {
  const spinner = await spinnerOn(talk, paint === noPaint);
  const [under, fold] = [new Map<string, OpenStep>(), loadFold()];
  const block = redrawn(talk);
  const live = liveNow();
  const unsaid: (() => string)[] = [];
  let [last, isDue, isClosed]: [Milliseconds, boolean, boolean] = [0, false, false];

  const leaveWhole = () => {
    if (!whole.isOpen) return;
    whole.close();
    for (const text of unsaid.splice(0)) talk.write(text());
  };
  const clear = () => {
    leaveWhole();
    spinner.stop();
    block.clear();
  };
  const drawWhole = () => {
    spinner.stop();
    block.clear();
    whole.draw(fullView(fold.now, { paint, unicode, width: talk.width, height: talk.height }));
  };
  const isFull = () => view === 'full' || (view === 'auto' && talk.width >= leastSize.width && talk.height >= leastSize.height);
  const draw = () => {
    isDue = false;
    if (isClosed) return;
    if (!live.isOn) leaveWhole();
    else if (isFull()) return void (talk.isBehind || drawWhole());
    leaveWhole();
    if (live.second === undefined) {
      block.clear();
      return spin(spinner, underWay([...under.values()], last), talk);
    }
    spinner.stop();
    if (!talk.isBehind) block.draw(liveView(live.second, live.servers, { paint, width: talk.width, height: talk.height }));
  };
  const whole: Painter = painter(talk, draw);
  talk.stream.on('resize', draw);
  return {
    under,
    fold,
    hear: (event) => {
      last = event.t;
      live.hear(event);
    },
    say: (text) => {
      if (whole.isOpen && live.isOn) return void unsaid.push(text);
      clear();
      talk.write(text());
    },
    show: () => {
      // What takes no more than a line is shown at once: it may be over before long.
      if (!whole.isOpen || !live.isOn) return draw();
      if (!isDue) queueMicrotask(draw);
      isDue = true;
    },
    clear,
    close: () => {
      isClosed = true;
      talk.stream.off('resize', draw);
      clear();
    },
  };
}

/** What there is of the load now. */
function liveNow() {
  let [isOn, second, servers]: [boolean, LiveSecond | undefined, readonly ServerSample[]] = [false, undefined, []];
  return {
    get isOn() {
      return isOn;
    },
    get second() {
      return second;
    },
    get servers() {
      return servers;
    },
    hear: (event: LoggedEvent) => {
      if (event.type === 'fleet-released') isOn = true;
      if (['load-ended', 'phase-finished', 'failed', 'command-finished'].includes(event.type)) isOn = false;
      if (!isOn) second = undefined;
      else if (event.type === 'fleet-sampled') second = event;
      else if (event.type === 'servers-sampled') servers = event.samples;
    },
  };
}

async function spinnerOn({ stream }: ReporterOptions['talk'], isPlain: boolean) {
  const { default: ora } = await import('ora');
  // Raw stdin would keep Ctrl-C from becoming a signal.
  return ora({ stream, discardStdin: false, prefixText: ' ', isEnabled: true, color: isPlain ? false : 'cyan' });
}

function spin(spinner: Awaited<ReturnType<typeof spinnerOn>>, text: string, talk: ReporterOptions['talk']): void {
  if (text === '' || talk.isBehind) return void spinner.stop();
  const room = Math.max(20, talk.width - margin);
  spinner.text = textWidth(text) > room ? shorten(text, room) : text;
  if (!spinner.isSpinning) spinner.start();
}

const barWidth = 20;

/** What is going on, on one line; with a bar where it is known how much there is to do. */
function underWay(steps: readonly OpenStep[], at: Milliseconds): string {
  const one = oneStep(steps);
  if (one === undefined) return steps.map((step) => titled(step, at)).join(' · ');
  const { done = 0, total } = one.progress ?? {};
  return total === undefined ? titled(one, at) : `${progressBar(done / Math.max(1, total), barWidth)} ${titled(one, at)}`;
}

function titled(step: OpenStep, at: Milliseconds): string {
  const far = progressText(step, at);
  return far === '' ? step.title : `${step.title}: ${far}`;
}

function finishedStep(
  event: LoggedEvent,
  open: ReadonlyMap<string, OpenStep>,
  paint: { good: (text: string) => string; bad: (text: string) => string; faint: (text: string) => string },
): string | undefined {
  if (event.type !== 'step-finished' && event.type !== 'step-failed') return undefined;
  const title = open.get(event.step)?.title ?? event.step;
  if (event.type === 'step-failed') return `  ${paint.bad('✖')} ${title}`;
  return `  ${paint.good('✔')} ${title}  ${paint.faint(`${resultText(event)}${took(event.elapsedMs)}`)}`;
}
