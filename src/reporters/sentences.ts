import { howItEnded } from '../core/ends.js';
import type { LoggedEvent } from '../core/events.js';
import { formatCount, formatDuration, type PerSecond, trimNumber } from '../core/quantities.js';
import { formatValue } from '../metrics/limit-text.js';
import { counted, reasonsInWords, took } from './words.js';

/** How a line is meant. */
export type Tone = 'title' | 'plain' | 'faint' | 'good' | 'bad' | 'warn';

/** One line about what happened. */
export interface Sentence {
  readonly tone: Tone;
  readonly text: string;
  /** One action, on a line of its own. */
  readonly hint?: string;
}

/** What an event means in words; undefined where it is shown in another way, or not worth a line. Folds over events. */
export type Teller = (event: LoggedEvent) => Sentence | undefined;

/** A {@link Teller} at the start of its events. */
export function makeTeller(): Teller {
  let missed = 0;
  return (event) => {
    if (event.type !== 'health-probed') return sentence(event);
    const before = missed;
    missed = event.good ? 0 : missed + 1;
    if (event.good && before > 0) return { tone: 'plain', text: `the target is healthy again, after ${counted(before, 'missed probe')}` };
    if (event.good || before > 0) return undefined;
    return { tone: 'warn', text: `the target's health probe failed (${event.status === 0 ? 'no answer' : `status ${event.status}`})` };
  };
}

function sentence(event: LoggedEvent): Sentence | undefined {
  switch (event.type) {
    case 'phase-started':
      return { tone: 'title', text: `${event.phase} ${event.environment}: ${event.title}` };
    case 'phase-finished':
      return phaseFinished(event);
    case 'warned':
      return { tone: 'warn', text: event.message, ...(event.hint === undefined ? {} : { hint: event.hint }) };
    case 'noted':
      return { tone: 'plain', text: event.message };
    case 'run-opened':
      return { tone: 'faint', text: `run ${event.run}, plan ${event.planHash.slice(0, 12)}, in ${event.directory}` };
    case 'live-colour-found':
      return { tone: 'plain', text: `${event.live} is live: ${event.loaded} is loaded, ${event.url}` };
    case 'lock-regained':
      return { tone: 'plain', text: `${event.database}: the lock is held again${took(event.elapsedMs)}` };
    case 'runner-started':
      return { tone: 'faint', text: `runner ${event.runner} started on ${event.host}: segment ${event.segment}` };
    case 'runner-ready':
      return { tone: 'faint', text: `runner ${event.runner} is ready: ${counted(event.vus, 'VU')}` };
    case 'setup-finished':
      return { tone: 'plain', text: `setup() ran on runner ${event.runner}${took(event.elapsedMs)}` };
    case 'fleet-released':
      return { tone: 'plain', text: `the load begins: ${counted(event.runners, 'runner')} released together` };
    case 'fleet-stopped':
      return { tone: 'warn', text: `ending early: ${event.reason}` };
    case 'load-ended':
      return { tone: 'plain', text: `the load ended after ${formatDuration(event.elapsedMs)}` };
    case 'teardown-finished':
      return event.error === undefined
        ? { tone: 'plain', text: `teardown() ran on runner ${event.runner}${took(event.elapsedMs)}` }
        : { tone: 'bad', text: `the script ${event.aborted === true ? 'called test.abort()' : 'threw'} in teardown(): ${event.error}` };
    case 'teardown-cut-off':
      return {
        tone: 'bad',
        text: `teardown() was cut off on runner ${event.runner}${took(event.elapsedMs)}: it may not have finished`,
        hint: 'Undo by hand what setup() did.',
      };
    case 'runner-lost': {
      const share = `${trimNumber(event.lostShare * 100, 1)}% of the load`;
      const loss = event.allowed ? `${share} is lost, which the profile allows` : `${share} is lost`;
      return { tone: 'bad', text: `runner ${event.runner} was lost (${event.how}); the others go on: ${loss}` };
    }
    case 'runner-ended':
      return event.lost ? { tone: 'bad', text: `runner ${event.runner} was lost (${howItEnded(event)})` } : undefined;
    case 'runner-short':
      return { tone: 'bad', text: `runner ${event.runner} was out of ${event.of}, ${counted(event.times, 'time')}` };
    case 'summary-handled':
      return event.stderr.trim() === '' ? undefined : { tone: 'plain', text: event.stderr.trimEnd() };
    case 'start-skew-measured':
      return { tone: 'faint', text: `the runners' first iterations began within ${formatDuration(event.skewMs)}` };
    case 'teardown-started':
    case 'step-started':
    case 'step-progressed':
    case 'step-finished':
    case 'step-failed':
    case 'fleet-sampled':
    case 'health-probed':
    case 'judged':
    case 'receipt-made':
      return undefined;
  }
}

function phaseFinished({ phase, elapsedMs, reasons }: Extract<LoggedEvent, { type: 'phase-finished' }>): Sentence {
  const time = formatDuration(elapsedMs);
  if (reasons.length === 0) return { tone: 'good', text: `${phase} is done (${time})` };
  return { tone: 'bad', text: `${phase} ended after ${time}: ${reasonsInWords(reasons)}` };
}

/** One second of the load on one line: `32s/1m · 100 VUs · 125 requests/s · 2 errors (0.05%) · p95 12 ms`. */
export function liveLine(event: Extract<LoggedEvent, { type: 'fleet-sampled' }>, more = p95Of(event)): string {
  const { elapsedMs, totalMs, vus, requests, requestsPerSecond, failedRequests } = event;
  const time = `${wholeSeconds(elapsedMs)}/${formatDuration(totalMs)}`;
  const rate = `${liveRate(requestsPerSecond)} requests/s`;
  const errors = `${counted(failedRequests, 'error')}${errorShare(failedRequests, requests)}`;
  return [time, counted(vus, 'VU'), rate, errors, ...more].join(' · ');
}

function p95Of({ latency }: Extract<LoggedEvent, { type: 'fleet-sampled' }>): string[] {
  return latency === undefined ? [] : [`p95 ${formatValue(latency.p95.value, 'ms')}`];
}

/** A rate of one second: more figures would only flicker. */
export function liveRate(perSecond: PerSecond): string {
  return perSecond < 10 ? trimNumber(perSecond, 1) : formatCount(perSecond);
}

/** The share of requests that failed, behind their number: ` (0.05%)`; nothing where none did. */
export function errorShare(failed: number, requests: number): string {
  return requests > 0 && failed > 0 ? ` (${Number(((failed / requests) * 100).toPrecision(2))}%)` : '';
}

function wholeSeconds(ms: number): string {
  return formatDuration(Math.max(1000, Math.round(ms / 1000) * 1000));
}
