import type { LoggedEvent, PhaseAim } from '../../core/events.js';
import type { RunnerId } from '../../core/ids.js';
import { isLoss } from '../../core/outcome.js';
import { formatCount, formatDuration, trimNumber } from '../../core/quantities.js';
import { formatLimit, formatValue } from '../../metrics/limit-text.js';
import { cloudSentence } from './cloud.js';
import { endText } from './end.js';
import { namesWithIds } from './names-with-ids.js';
import { noteText } from './note.js';
import { ofScript } from './of-script.js';
import type { Sentence } from './sentence.js';
import { stopHint, stopReason } from './stop.js';
import { warningText } from './warning.js';
import { counted, reasonsInWords, took } from './words.js';
import { placeName } from './work.js';

/** What an event means in words; undefined where it is shown in another way, or not worth a line. Folds over events. */
export type Teller = (event: LoggedEvent) => Sentence | undefined;

/** A {@link Teller} at the start of its events. */
export function makeTeller(): Teller {
  let missed = 0;
  let [looked, isSaid] = [0, false];
  const ofNames = ({ endpoints = [], endpointsInAll = 0 }: Extract<LoggedEvent, { type: 'fleet-sampled' }>) => {
    if (isSaid || endpointsInAll === looked) return undefined;
    looked = endpointsInAll;
    const said = namesWithIds(endpoints);
    isSaid = said !== undefined;
    return said;
  };
  const lost = new Set<RunnerId>();
  return (event) => {
    if (event.type === 'runner-lost' || (event.type === 'fleet-stopped' && event.cause === 'runner-lost')) lost.add(event.runner);
    if (event.type === 'runner-ended' && lost.has(event.runner)) return undefined; // said when it was lost
    if (event.type === 'fleet-sampled') return ofNames(event);
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
      return { tone: 'title', text: `${event.phase} ${event.environment}: ${aimText(event)}` };
    case 'phase-finished':
      return phaseFinished(event);
    case 'judged':
      return event.again ? { tone: 'title', text: 'Judged again since, by points that came late.' } : undefined;
    case 'warned':
      return { tone: 'warn', ...warningText(event) };
    case 'noted':
      return { tone: 'plain', text: noteText(event) };
    case 'run-opened':
      return { tone: 'faint', text: `run ${event.run}, plan ${event.planHash.slice(0, 12)}, in ${event.directory}` };
    case 'live-colour-found':
      return { tone: 'plain', text: `${event.live} is live; loading ${event.loaded} at ${event.url}` };
    case 'lock-regained':
      return { tone: 'plain', text: `${placeName(event.place)}: got the lock back${took(event.elapsedMs)}` };
    case 'runner-started':
    case 'runner-ready':
    case 'runner-lost':
    case 'runner-ended':
    case 'runner-short':
      return ofRunner(event);
    case 'setup-finished':
    case 'setup-failed':
    case 'teardown-started':
    case 'teardown-finished':
    case 'teardown-lost':
    case 'teardown-cut-off':
    case 'summary-handled':
      return ofScript(event);
    case 'fleet-released':
    case 'fleet-stopped':
    case 'load-ended':
    case 'start-skew-measured':
    case 'cloud-run-started':
    case 'cloud-run-reached':
    case 'cloud-run-ended':
      return ofLoad(event);
    case 'question-settled':
      return ofQuestion(event);
    case 'limit-breached':
    case 'limit-recovered':
      return ofLimit(event);
    case 'step-started':
    case 'step-progressed':
    case 'step-finished':
    case 'step-failed':
    case 'fleet-sampled':
    case 'limits-sampled':
    case 'servers-sampled':
    case 'health-probed':
    case 'command-started':
    case 'question-asked':
    case 'failed':
    case 'command-finished':
    case 'seeded':
    case 'measured':
    case 'receipt-made':
      return undefined;
  }
}

function ofQuestion({ lateMs }: Extract<LoggedEvent, { type: 'question-settled' }>): Sentence | undefined {
  return lateMs === undefined ? undefined : { tone: 'warn', text: `no answer within ${formatDuration(lateMs)}: that counts as no` };
}

function ofLoad(
  event: Extract<LoggedEvent, { type: 'fleet-released' | 'fleet-stopped' | 'load-ended' | 'start-skew-measured' | `cloud-${string}` }>,
): Sentence {
  switch (event.type) {
    case 'fleet-released':
      return { tone: 'plain', text: `the load begins: ${counted(event.runners, 'runner')} released together` };
    case 'fleet-stopped':
      return { tone: 'warn', text: `ending early: ${stopReason(event)}`, ...stopHint(event) };
    case 'load-ended':
      return { tone: 'plain', text: `the load ended after ${formatDuration(event.elapsedMs)}` };
    case 'start-skew-measured':
      return { tone: 'faint', text: `the runners' first iterations began within ${formatDuration(event.skewMs)}` };
    case 'cloud-run-started':
    case 'cloud-run-reached':
    case 'cloud-run-ended':
      return cloudSentence(event);
  }
}

function ofLimit(event: Extract<LoggedEvent, { type: `limit-${string}` }>): Sentence {
  const { limit, actual, monitor, source, forMs } = event;
  const where = monitor === undefined ? '' : `, ${monitor}${source === undefined ? '' : ` ${source}`}`;
  const named = `${limit.name} ${formatLimit(limit)}`;
  const value = `${formatValue(actual.value, limit.unit, limit.limit)}${where}`;
  if (event.type === 'limit-breached') return { tone: 'bad', text: `${named} is broken: ${value}, for ${formatDuration(forMs)}` };
  if (event.over) return { tone: 'plain', text: `${named} was broken to the end of the judged window, for ${formatDuration(forMs)}` };
  return { tone: 'plain', text: `${named} holds again: ${value}, after ${formatDuration(forMs)}` };
}

function ofRunner(event: Extract<LoggedEvent, { type: `runner-${string}` }>): Sentence | undefined {
  switch (event.type) {
    case 'runner-started':
      return { tone: 'faint', text: `runner ${event.runner} started on ${event.host}: segment ${event.segment}` };
    case 'runner-ready':
      return { tone: 'faint', text: `runner ${event.runner} is ready: ${counted(event.vus, 'VU')}` };
    case 'runner-lost': {
      const share = `${trimNumber(event.lost * 100, 1)}% of the load`;
      // What it made before it was noticed may turn out to be less: then more is lost.
      const loss = event.allowed ? `at least ${share} is lost so far, and the profile allows that` : `at least ${share} is lost`;
      return { tone: 'bad', text: `runner ${event.runner} was lost (${endText(event.end)}); the others go on: ${loss}` };
    }
    case 'runner-ended':
      return isLoss(event) ? { tone: 'bad', text: `runner ${event.runner} was lost (${endText(event)})` } : undefined;
    case 'runner-short':
      return { tone: 'bad', text: `runner ${event.runner} was out of ${event.of}, ${counted(event.times, 'time')}` };
  }
}

function aimText(aim: PhaseAim): string {
  switch (aim.phase) {
    case 'seed':
      return `${formatCount(aim.rows)} rows and entries in ${counted(aim.steps, 'step')}`;
    case 'run':
      if (aim.backend === 'cloud') return `Grafana Cloud → ${aimedAt(aim)}; no common start, and no numbers come back`;
      return `${counted(aim.runners, 'runner')} (${aim.backend}) → ${aimedAt(aim)}`;
    case 'cleanup':
      return aim.dryRun ? 'what would be removed (dry run)' : 'remove the test data';
  }
}

function aimedAt({ url, colour }: Extract<PhaseAim, { phase: 'run' }>): string {
  return colour === undefined ? url : `${colour.loaded}, ${url} (${colour.live} is live)`;
}

function phaseFinished({ phase, elapsedMs, reasons }: Extract<LoggedEvent, { type: 'phase-finished' }>): Sentence {
  const time = formatDuration(elapsedMs);
  if (reasons.length === 0) return { tone: 'good', text: `${phase} is done (${time})` };
  return { tone: 'bad', text: `${phase} ended after ${time}: ${reasonsInWords(reasons)}` };
}
