import { stripVTControlCharacters } from 'node:util';
import type { LoggedEvent } from '../core/events.js';
import { noPaint } from './paint.js';
import { lineOf } from './plain.js';
import { resultOf } from './results.js';
import { liveLine, makeTeller, progressText } from './sentences.js';
import { shorten, textWidth } from './table.js';
import type { MakeReporter } from './types.js';
import { took } from './words.js';

const barWidth = 20;
/** What the spinner itself and the edge of the screen take. */
const margin = 6;

/** For people: a spinner for what is going on now, a line for what is done. */
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
  const under = new Map<string, { title: string; progress: string }>();
  let live: Extract<LoggedEvent, { type: 'fleet-sampled' }> | undefined;

  const above = (text: string, screen = talk) => {
    spinner.stop();
    screen.write(text);
  };
  const spin = () => {
    const steps = [...under.values()].map(({ title, progress }) => (progress === '' ? title : `${title}: ${progress}`));
    const room = Math.max(20, talk.width - margin);
    const text = live ? liveText(live, room, paint) : steps.join(' · ');
    if (text === '') return void spinner.stop();
    spinner.text = textWidth(text) > room ? shorten(stripVTControlCharacters(text), room) : text;
    if (!spinner.isSpinning) spinner.start();
  };

  return {
    handle(event) {
      const finished = finishedStep(event, under, paint);
      follow(event, under);
      if (event.type === 'fleet-sampled') live = event;
      if (event.type === 'load-ended' || event.type === 'fleet-stopped') live = undefined;
      const sentence = tell(event);
      if (finished !== undefined) above(`${finished}\n`);
      if (sentence !== undefined && sentence.tone !== 'faint') above(`${lineOf(sentence, options)}\n`);
      const result = resultOf(event, options);
      if (result !== undefined && options.results) above(result, options.results);
      spin();
    },
    close() {
      spinner.stop();
    },
  };
};

type OpenSteps = Map<string, { title: string; progress: string }>;

function follow(event: LoggedEvent, open: OpenSteps): void {
  if (event.type === 'step-started') open.set(event.step, { title: event.title, progress: '' });
  if (event.type === 'step-progressed')
    open.set(event.step, { title: open.get(event.step)?.title ?? event.step, progress: progressText(event) });
  if (event.type === 'step-finished' || event.type === 'step-failed') open.delete(event.step);
  if (event.type === 'phase-finished') open.clear();
}

function finishedStep(
  event: LoggedEvent,
  open: OpenSteps,
  paint: { good: (text: string) => string; bad: (text: string) => string; faint: (text: string) => string },
): string | undefined {
  if (event.type !== 'step-finished' && event.type !== 'step-failed') return undefined;
  const title = open.get(event.step)?.title ?? event.step;
  if (event.type === 'step-failed') return `  ${paint.bad('✖')} ${title}`;
  return `  ${paint.good('✔')} ${title}  ${paint.faint(`${event.detail}${took(event.elapsedMs)}`)}`;
}

/** The live line behind a bar, where there is room for one. */
function liveText(
  event: Extract<LoggedEvent, { type: 'fleet-sampled' }>,
  room: number,
  paint: { faint: (text: string) => string },
): string {
  const line = liveLine(event);
  if (textWidth(line) + barWidth + 1 > room) return line;
  const share = event.totalMs > 0 ? Math.min(1, event.elapsedMs / event.totalMs) : 0;
  const full = Math.round(share * barWidth);
  return `${'█'.repeat(full)}${paint.faint('░'.repeat(barWidth - full))} ${line}`;
}
