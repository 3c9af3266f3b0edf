import type { LoggedEvent } from '../core/events.js';
import { liveView } from './live-view.js';
import { noPaint } from './paint.js';
import { lineOf } from './plain.js';
import { redrawn } from './redrawn.js';
import { resultOf } from './results.js';
import { makeTeller, progressText } from './sentences.js';
import { shorten, textWidth } from './table.js';
import type { MakeReporter } from './types.js';
import { took } from './words.js';

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
  const under = new Map<string, { title: string; progress: string }>();
  const block = redrawn(talk);
  let loading = false;
  let live: Extract<LoggedEvent, { type: 'fleet-sampled' }> | undefined;

  const above = (text: string, screen = talk) => {
    spinner.stop();
    block.clear();
    screen.write(text);
  };
  const spin = () => {
    const text = [...under.values()].map(({ title, progress }) => (progress === '' ? title : `${title}: ${progress}`)).join(' · ');
    if (text === '') return void spinner.stop();
    const room = Math.max(20, talk.width - margin);
    spinner.text = textWidth(text) > room ? shorten(text, room) : text;
    if (!spinner.isSpinning) spinner.start();
  };
  const show = () => {
    if (live === undefined) {
      block.clear();
      return spin();
    }
    spinner.stop();
    block.draw(liveView(live, { paint, width: talk.width, height: talk.height }));
  };
  talk.stream.on('resize', show);

  return {
    handle(event) {
      const finished = finishedStep(event, under, paint);
      follow(event, under);
      if (event.type === 'fleet-released') loading = true;
      if (event.type === 'load-ended' || event.type === 'phase-finished') loading = false;
      if (!loading) live = undefined;
      else if (event.type === 'fleet-sampled') live = event;
      const sentence = tell(event);
      if (finished !== undefined) above(`${finished}\n`);
      if (sentence !== undefined && sentence.tone !== 'faint') above(`${lineOf(sentence, options)}\n`);
      const result = resultOf(event, options);
      if (result !== undefined && options.results) above(result, options.results);
      show();
    },
    close() {
      talk.stream.off('resize', show);
      spinner.stop();
      block.clear();
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
