import type { LoggedEvent } from '../core/events.js';
import { formatCount, formatDuration, type Milliseconds, type Share } from '../core/quantities.js';
import { formatRate } from './sentences/words.js';
import { workTitle } from './sentences/work.js';

/** A step that is under way. */
export interface OpenStep {
  readonly title: string;
  readonly startedAt: Milliseconds;
  /** How far it is; undefined while nobody said. */
  readonly progress?: { readonly done: number; readonly total?: number; readonly unit: string };
}

/** What takes as long as the script wants, and is told by events of its own. */
const teardown = 'teardown()';

/** The steps that are under way, by their id; follows the events. */
export function followSteps(event: LoggedEvent, open: Map<string, OpenStep>): void {
  if (event.type === 'teardown-started') open.set(teardown, { title: `teardown() runs on runner ${event.runner}`, startedAt: event.t });
  if (event.type === 'teardown-finished' || event.type === 'teardown-cut-off') open.delete(teardown);
  if (event.type === 'step-started') open.set(event.step, { title: workTitle(event.work), startedAt: event.t });
  if (event.type === 'step-progressed') {
    const { title, startedAt } = open.get(event.step) ?? { title: event.step, startedAt: event.t };
    const { done, total, unit } = event;
    open.set(event.step, { title, startedAt, progress: { done, unit, ...(total === undefined ? {} : { total }) } });
  }
  if (event.type === 'step-finished' || event.type === 'step-failed') open.delete(event.step);
  if (event.type === 'phase-finished') open.clear();
}

/** Below this nobody reads a rate, and it is none yet. */
const tellingMs = 500;

/** How far a step is, how quickly it goes on, and how long that takes: `400 of 1,000 rows · 200 rows/s · 3s left`. */
export function progressText({ progress, startedAt }: OpenStep, at: Milliseconds): string {
  if (progress === undefined) return '';
  const { done, total, unit } = progress;
  if (unit === 'seconds') return formatDuration(done * 1000);
  const far = total === undefined ? `${formatCount(done)} ${unit}` : `${formatCount(done)} of ${formatCount(total)} ${unit}`;
  const seconds = (at - startedAt) / 1000;
  if (at - startedAt < tellingMs || done === 0) return far;
  const rate = formatRate(done / seconds).replace('/s', ` ${unit}/s`);
  const left = total === undefined || done >= total ? [] : [`${formatDuration(Math.ceil(((total - done) / done) * seconds) * 1000)} left`];
  return [far, rate, ...left].join(' · ');
}

/** Steps that count the same towards a total, as one; undefined where they do not. */
export function oneStep(steps: readonly OpenStep[]): OpenStep | undefined {
  const [first, ...others] = steps;
  if (first === undefined || others.length === 0) return first;
  const unit = first.progress?.unit;
  if (steps.some(({ progress }) => progress?.total === undefined || progress.unit !== unit)) return undefined;
  const sum = (pick: (step: OpenStep) => number | undefined) => steps.reduce((all, step) => all + (pick(step) ?? 0), 0);
  return {
    title: `${first.title} and ${others.length} more`,
    startedAt: Math.min(...steps.map(({ startedAt }) => startedAt)),
    progress: { done: sum(({ progress }) => progress?.done), total: sum(({ progress }) => progress?.total), unit: unit ?? '' },
  };
}

/** `█████░░░░░`: the filled part of so many characters. */
export function progressBar(share: Share, width: number): string {
  const filled = Math.round(Math.min(1, Math.max(0, share)) * width);
  return `${'█'.repeat(filled)}${'░'.repeat(width - filled)}`;
}
