import type { LoggedEvent } from '../core/events.js';
import type { ServerSample } from '../core/monitors.js';
import type { Milliseconds } from '../core/quantities.js';
import { errorText, isTold } from './error-text.js';
import { liveView } from './live-view.js';
import { noPaint } from './paint.js';
import { lineOf } from './plain.js';
import { redrawn } from './redrawn.js';
import { makeTables, showResult } from './results.js';
import { makeTeller } from './sentences/index.js';
import { took } from './sentences/words.js';
import { resultText } from './sentences/work.js';
import { followSteps, type OpenStep, oneStep, progressBar, progressText } from './step-progress.js';
import type { MakeReporter } from './types.js';
import { shorten, textWidth } from './width.js';
import { wrapLines } from './wrap.js';

/** What the spinner itself and the edge of the screen take. */
const margin = 6;

/** For people: a spinner for what is going on now, a live view while there is load, a line for what is done. */
export const terminalReporter: MakeReporter = async (options) => {
  const { default: ora } = await import('ora');
  const { talk, talkPaint: paint } = options;
  // Raw stdin would keep Ctrl-C from becoming a signal.
  const spinner = ora({
    stream: talk.stream,
    discardStdin: false,
    prefixText: ' ',
    isEnabled: true,
    color: paint === noPaint ? false : 'cyan',
  });
  const tell = makeTeller();
  const tables = makeTables(options);
  const under = new Map<string, OpenStep>();
  const block = redrawn(talk);
  let loading = false;
  let [live, servers]: [Extract<LoggedEvent, { type: 'fleet-sampled' }> | undefined, readonly ServerSample[]] = [undefined, []];

  const clear = () => {
    spinner.stop();
    block.clear();
  };
  const above = (text: string) => {
    clear();
    talk.write(text);
  };
  const spin = (at: Milliseconds) => {
    const text = underWay([...under.values()], at);
    if (text === '' || talk.isBehind) return void spinner.stop();
    const room = Math.max(20, talk.width - margin);
    spinner.text = textWidth(text) > room ? shorten(text, room) : text;
    if (!spinner.isSpinning) spinner.start();
  };
  const show = (at: Milliseconds) => {
    if (live === undefined) {
      block.clear();
      return spin(at);
    }
    spinner.stop();
    if (!talk.isBehind) block.draw(liveView(live, servers, { paint, width: talk.width, height: talk.height }));
  };
  let last: Milliseconds = 0;
  const redraw = () => show(last);
  talk.stream.on('resize', redraw);

  return {
    handle(event) {
      const finished = finishedStep(event, under, paint);
      followSteps(event, under);
      last = event.t;
      if (event.type === 'fleet-released') loading = true;
      if (event.type === 'load-ended' || event.type === 'phase-finished') loading = false;
      if (!loading) live = undefined;
      else if (event.type === 'fleet-sampled') live = event;
      else if (event.type === 'servers-sampled') servers = event.samples;
      const sentence = tell(event);
      if (finished !== undefined) above(`${wrapLines([finished], talk.width).join('\n')}\n`);
      if (sentence !== undefined && sentence.tone !== 'faint') above(`${lineOf(sentence, options)}\n`);
      if (isTold(event)) above(errorText(event.error, paint.bad, talk.width));
      const result = tables(event);
      if (result !== undefined && options.results) {
        clear();
        showResult(result, options.results);
      }
      show(last);
    },
    close() {
      talk.stream.off('resize', redraw);
      clear();
    },
  };
};

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
