import type { LoggedEvent } from '../../core/events.js';
import type { RunId } from '../../core/ids.js';
import type { EpochMs } from '../../core/quantities.js';
import type { VerdictWord } from '../../core/verdict.js';
import { markOf } from '../messages/mark.js';
import { plainWords } from '../messages/plain-words.js';

/** What Grafana keeps of an annotation; a point where it has no end. */
export interface Annotation {
  readonly text: string;
  readonly time: EpochMs;
  readonly timeEnd?: EpochMs;
  readonly tags: readonly string[];
}

/** Something to do: mark a moment or the begin of a time, or end what was begun under this key (and say it otherwise). */
export interface Mark {
  readonly do: 'begin' | 'end';
  readonly key: string;
  readonly annotation: Annotation;
}

/** Makes marks of the events of one command. */
export interface Marks {
  of(event: LoggedEvent): readonly Mark[];
  /** Ends what is still open. */
  rest(at: EpochMs): readonly Mark[];
}

/** Tags may have 500 characters in all, and texts are foreign. */
const most = { tag: 60, text: 500 };

/**
 * The whole run, each phase on data and each broken limit is a region: opened as a point when it begins, so that a loadctl that is
 * killed leaves one, and ended later. What else happens is a point.
 */
export function marksOf(environment: string): Marks {
  const open = new Map<string, Annotation>();
  let run: RunId | undefined;
  let order = 0;
  const tags = (...more: readonly string[]) =>
    ['loadctl', environment, ...(run === undefined ? [] : [run]), ...more].map((tag) => plainWords(tag, most.tag));
  const begin = (key: string, words: string, time: EpochMs, kinds: readonly string[]): Mark[] => {
    const annotation = { text: markup(words), time, tags: tags(...kinds) };
    open.set(key, annotation);
    return [{ do: 'begin', key, annotation }];
  };
  const end = (key: string, at: EpochMs, words?: string): Mark[] => {
    const begun = open.get(key);
    if (begun === undefined) return [];
    const annotation = { ...begun, timeEnd: Math.max(begun.time, at), ...(words === undefined ? {} : { text: markup(words) }) };
    open.delete(key);
    return [{ do: 'end', key, annotation }];
  };
  const point = (words: string, time: EpochMs, kind: string): Mark[] => {
    order += 1;
    return [{ do: 'begin', key: `${kind} ${order}`, annotation: { text: markup(words), time, tags: tags(kind) } }];
  };
  return {
    of: (event) => {
      const { at } = event;
      const mark = markOf(event) ?? '';
      switch (event.type) {
        case 'run-opened':
          run = event.run;
          return begin('run', `${environment}: load test ${event.run}`, at, ['run']);
        case 'judged':
          return end('run', at, `${environment}: load test ${event.run} ${endings[event.verdict.verdict]}`);
        case 'phase-started':
          return event.phase === 'run' ? [] : begin(event.phase, `${environment}: ${event.phase}`, at, [event.phase]);
        case 'phase-finished':
          return event.phase === 'run' ? [] : end(event.phase, at);
        case 'limit-breached':
          return begin(limitKey(event), mark, at, ['breach', event.limit.name]);
        case 'limit-recovered':
          return end(limitKey(event), at, mark);
        default:
          return mark === '' ? [] : point(mark, at, 'load');
      }
    },
    rest: (at) => [...open.keys()].flatMap((key) => end(key, at)),
  };
}

const endings: Readonly<Record<VerdictWord, string>> = {
  pass: 'passed',
  fail: 'failed',
  invalid: 'is invalid',
  interrupted: 'was interrupted',
};

function limitKey({ limit }: Extract<LoggedEvent, { readonly type: 'limit-breached' | 'limit-recovered' }>): string {
  return `limit ${limit.source} ${limit.name} ${limit.operator} ${limit.limit}`;
}

/** Grafana shows the text of an annotation as markup. */
function markup(words: string): string {
  return plainWords(words, most.text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
