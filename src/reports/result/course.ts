import type { LoggedEvent } from '../../core/events.js';
import type { RunnerId } from '../../core/ids.js';
import type { RunnerOutcome } from '../../core/outcome.js';
import type { Milliseconds } from '../../core/quantities.js';
import type { Stretch } from '../../metrics/servers/series.js';
import { makeTeller } from '../../reporters/sentences/index.js';
import type { LatencyCourse } from './latency.js';
import type { MachineCourse } from './machines.js';
import type { SecondCourse } from './seconds.js';
import type { ServerCourse } from './servers.js';

/** One runner of a fleet, from its start to what came of it. */
export interface RunnerRow {
  readonly runner: RunnerId;
  readonly host: string;
  readonly segment: string;
  /** Missing where it never came so far. */
  readonly vus?: number;
  readonly outcome?: RunnerOutcome;
}

/** Something that lasted or happened, by the load's own time. */
export interface Mark extends Stretch {
  readonly kind: 'breach' | 'moment';
  readonly text: string;
}

/** What happened from the first event to the last. */
export interface Course {
  /** In the words of the terminal, without what is only for the moment. */
  readonly story: readonly { readonly t: Milliseconds; readonly text: string; readonly isWarning: boolean }[];
  readonly runners: readonly RunnerRow[];
  /** How far apart the runners began. */
  readonly skewMs?: Milliseconds;
  /** How long the load lasted. */
  readonly endMs: Milliseconds;
  readonly marks: readonly Mark[];
  readonly seconds: SecondCourse;
  readonly latency: LatencyCourse;
  readonly machines: MachineCourse;
  readonly servers: readonly ServerCourse[];
}

/** What events alone tell of a {@link Course}. */
export type EventCourse = Pick<Course, 'story' | 'runners' | 'skewMs' | 'marks'>;

/** More sentences than these are no story. */
const longestStory = 200;
/** More marks than these would hide what they are on. */
const mostMarks = 40;

/** The course of a run by its events; `load` is by their `t`. */
export function eventCourse(events: readonly LoggedEvent[], load: Stretch): EventCourse {
  const tell = makeTeller();
  const story = events.flatMap((event) => {
    const said = event.type === 'fleet-sampled' || event.type === 'servers-sampled' ? undefined : tell(event);
    return said === undefined || said.tone === 'faint'
      ? []
      : [{ t: event.t, text: said.text, isWarning: ['warn', 'bad'].includes(said.tone), event }];
  });
  const skew = events.find((event) => event.type === 'start-skew-measured');
  return {
    story: story.slice(0, longestStory).map(({ event: _, ...line }) => line),
    runners: events.flatMap((event) => (event.type === 'runner-started' ? [rowOf(event, events)] : [])),
    ...(skew?.type === 'start-skew-measured' ? { skewMs: skew.skewMs } : {}),
    marks: marksOf(story, load).slice(0, mostMarks),
  };
}

/** A sentence of the story, with what it is about. */
interface Told {
  readonly event: LoggedEvent;
  readonly text: string;
}

function marksOf(story: readonly Told[], load: Stretch): Mark[] {
  return story.flatMap(({ event, text }, index): Mark[] => {
    const at = event.t - load.from;
    if (event.type === 'limit-breached') return [breach(event, text, story.slice(index), load)];
    if (event.type === 'runner-lost' || event.type === 'fleet-stopped') return [{ kind: 'moment', from: at, to: at, text }];
    return [];
  });
}

/** Both its ends are told late, each with how long it had lasted by then; one whose end nobody told lasted as long as the load. */
function breach(
  { t, forMs, limit }: Extract<LoggedEvent, { type: 'limit-breached' }>,
  text: string,
  after: readonly Told[],
  load: Stretch,
): Mark {
  const from = Math.max(0, t - load.from - forMs);
  const same = JSON.stringify(limit);
  const end = after.find(({ event }) => event.type === 'limit-recovered' && JSON.stringify(event.limit) === same);
  if (end?.event.type !== 'limit-recovered') return { kind: 'breach', from, to: load.to - load.from, text };
  return { kind: 'breach', from, to: end.event.over ? end.event.t - load.from : from + end.event.forMs, text: end.text };
}

type Started = Extract<LoggedEvent, { type: 'runner-started' }>;

function rowOf({ runner, host, segment }: Started, events: readonly LoggedEvent[]): RunnerRow {
  const ready = events.find((event) => event.type === 'runner-ready' && event.runner === runner);
  const outcome = events.find((event) => event.type === 'runner-ended' && event.runner === runner);
  return {
    runner,
    host,
    segment,
    ...(ready?.type === 'runner-ready' ? { vus: ready.vus } : {}),
    ...(outcome?.type === 'runner-ended' ? { outcome } : {}),
  };
}
