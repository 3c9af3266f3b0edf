import type { LoggedEvent } from '../core/events.js';
import type { Milliseconds } from '../core/quantities.js';
import { errorText, isTold } from './error-text.js';
import { makeTables, showResult } from './results.js';
import { makeTeller } from './sentences/index.js';
import { liveLine } from './sentences/live-line.js';
import type { Sentence } from './sentences/sentence.js';
import { serversLine } from './sentences/servers-line.js';
import { took } from './sentences/words.js';
import { resultText, workTitle } from './sentences/work.js';
import { followSteps, type OpenStep, progressText } from './step-progress.js';
import type { MakeReporter, ReporterOptions } from './types.js';
import { screenWidth, wrapLines } from './wrap.js';

/** How often a line says how the load or a long step is getting on: at first, and once it has lasted for so long. */
const everyMs = 10_000;
const laterMs = { from: 300_000, every: 60_000 };

/** How many lines are due by a moment of a load or a step. */
function linesDue(elapsedMs: Milliseconds): number {
  const often = Math.min(elapsedMs, laterMs.from) / everyMs;
  const seldom = Math.max(0, elapsedMs - laterMs.from) / laterMs.every;
  return Math.floor(often) + Math.floor(seldom);
}

/** One line for whatever happens: for CI, files and pipes. */
export const plainReporter: MakeReporter = async (options) => {
  const tell = makeTeller();
  const tables = makeTables(options);
  const steps = stepLines();
  const live = liveLines();
  return {
    handle(event) {
      const sentence = tell(event);
      const lines = [live(event), sentence === undefined ? steps(event) : lineOf(sentence, options)];
      for (const line of lines)
        if (line !== undefined) options.talk.write(`${wrapLines(line.split('\n'), screenWidth(options.talk)).join('\n')}\n`);
      if (isTold(event)) options.talk.write(errorText(event.error, options.talkPaint.bad, screenWidth(options.talk)));
      const result = tables(event);
      if (result !== undefined && options.results) showResult(result, options.results);
    },
    close() {},
  };
};

/** A sentence as a line: titles stand at the margin, what belongs to them below. */
export function lineOf(sentence: Sentence, { talk, talkPaint }: Pick<ReporterOptions, 'talk' | 'talkPaint'>): string {
  const lines = [marked(sentence, talkPaint), ...(sentence.hint === undefined ? [] : [`    ${talkPaint.faint(sentence.hint)}`])];
  return wrapLines(
    lines.flatMap((line) => line.split('\n')),
    screenWidth(talk),
  ).join('\n');
}

function marked({ tone, text }: Sentence, paint: ReporterOptions['talkPaint']): string {
  switch (tone) {
    case 'title':
      return paint.strong(text);
    case 'plain':
      return `  ${text}`;
    case 'faint':
      return `  ${paint.faint(text)}`;
    case 'good':
      return `${paint.good('✔')} ${text}`;
    case 'bad':
      return `${paint.bad('✖')} ${text}`;
    case 'warn':
      return `  ${paint.warn('warning:')} ${text}`;
  }
}

type Lines = (event: LoggedEvent) => string | undefined;

/** What steps do; how far they are is said now and then. */
function stepLines(): Lines {
  const open = new Map<string, OpenStep>();
  const saidAt = new Map<string, Milliseconds>();
  return (event) => {
    const before = 'step' in event ? open.get(event.step) : undefined;
    followSteps(event, open);
    if (event.type === 'step-started') return `  ${workTitle(event.work)} …`;
    if (event.type === 'teardown-started') return `  teardown() runs on runner ${event.runner} …`;
    if (event.type === 'step-progressed') {
      const step = open.get(event.step);
      if (step === undefined) return undefined;
      const pauseMs = event.t - step.startedAt < laterMs.from ? everyMs : laterMs.every;
      if (event.t - (saidAt.get(event.step) ?? step.startedAt) < pauseMs) return undefined;
      saidAt.set(event.step, event.t);
      return `  ${step.title}: ${progressText(step, event.t)}`;
    }
    if (event.type !== 'step-finished' && event.type !== 'step-failed') return undefined;
    const title = before?.title ?? event.step;
    return event.type === 'step-failed' ? `  ${title}: failed` : `  ${title}: ${resultText(event)}${took(event.elapsedMs)}`;
  };
}

/** A second of the load now and then. */
function liveLines(): Lines {
  let said = 0;
  let servers = '';
  return (event) => {
    if (event.type === 'servers-sampled') servers = serversLine(event.samples);
    if (event.type !== 'fleet-sampled') return undefined;
    const now = linesDue(event.elapsedMs + 500);
    if (now <= said) return undefined;
    said = now;
    return `  ${liveLine(event)}${servers === '' ? '' : `\n  ${servers}`}`;
  };
}
