import type { LimitSample, RecentSample } from '../core/events.js';
import type { ServerSample } from '../core/monitors.js';
import { formatCount, formatDuration, type Milliseconds, type Share } from '../core/quantities.js';
import { formatLimit, formatValue } from '../metrics/limit-text.js';
import type { LiveSecond, LoadNow, RunnerNow, Said } from './load-now.js';
import type { Paint } from './paint.js';
import { errorShare, liveRate } from './sentences/live-line.js';
import { counted } from './sentences/words.js';
import { sparkline } from './sparkline.js';
import { pad } from './table.js';
import { shorten, textWidth } from './width.js';

/** How the full view is drawn. */
export interface FullStyle {
  readonly paint: Paint;
  readonly width: number;
  readonly height: number;
  /** Whether the terminal shows more than ASCII. */
  readonly unicode: boolean;
}

/** A part of the full view: all its lines, the most telling ones first, and how few of them still say something. */
export interface Section {
  readonly label: string;
  readonly lines: readonly string[];
  readonly least: number;
  /** How many things are not shown where so many of its lines are. */
  readonly hidden?: (shown: number) => number;
  /** Where the last lines are the most telling. */
  readonly fromEnd?: true;
}

/** What a section is drawn with: the room of a line beside its label. */
export interface Room extends Pick<FullStyle, 'paint'> {
  readonly room: number;
}

type PaintOf = (text: string) => string;

/** The signs of an outcome; without colours they alone tell. */
function markOf(outcome: LimitSample['outcome'], { paint }: Pick<Room, 'paint'>): string {
  if (outcome === 'pass') return paint.good('✔');
  if (outcome === 'fail') return paint.bad('✖');
  return outcome === 'undecided' ? paint.warn('?') : paint.faint('·');
}

const percentileOf = { p50: ['p(50)', 'med'], p95: ['p(95)'], p99: ['p(99)'] } as const;
const narrowestSpark = 8;
const dash = '–';

/** Requests per second and the percentiles of the last seconds, each with how it went and its limit. */
export function pulse({ second, history, limits }: LoadNow, room: Room): Section {
  const recent = second?.recent;
  const rows = [
    ofPulse('req/s', recent === undefined || recent.overMs === 0 ? dash : liveRate(recent.requests / (recent.overMs / 1000)), {
      values: history.requestsPerSecond,
    }),
    ...(['p50', 'p95', 'p99'] as const).map((name) => {
      const limit = limits.find(({ limit: { metric, stat } }) => metric === 'http_req_duration' && isIn(percentileOf[name], stat))?.limit;
      const value = recent?.[name];
      return ofPulse(name, value === undefined ? dash : formatValue(value, 'ms', limit?.limit), {
        values: history[name],
        ...(limit === undefined ? {} : { limit: formatLimit(limit) }),
        ...(limit === undefined || value === undefined || !limit.operator.startsWith('<') ? {} : { holds: value < limit.limit }),
      });
    }),
  ];
  const widest = (pick: (row: PulseRow) => string) => Math.max(0, ...rows.map((row) => textWidth(pick(row))));
  const [names, texts, marks] = [widest(({ name }) => name), widest(({ text }) => text), widest(({ limit = '' }) => limit)];
  const width = Math.max(narrowestSpark, room.room - names - texts - marks - 8);
  return { label: 'last 10 s', lines: rows.map((row) => pulseLine(row, room, { names, texts, marks, width })), least: 4 };
}

interface PulseRow {
  readonly name: string;
  readonly text: string;
  readonly values: readonly (number | undefined)[];
  readonly limit?: string;
  readonly holds?: boolean;
}

function ofPulse(name: string, text: string, of: Omit<PulseRow, 'name' | 'text'>): PulseRow {
  return { name, text, ...of };
}

function pulseLine(
  { name, text, values, limit, holds }: PulseRow,
  room: Room,
  at: { readonly names: number; readonly texts: number; readonly marks: number; readonly width: number },
): string {
  const { paint } = room;
  const tone: PaintOf = holds === undefined ? (plain) => plain : holds ? paint.good : paint.bad;
  const bars = sparkline(values, at.width);
  const mark = holds === undefined ? ' ' : markOf(holds ? 'pass' : 'fail', room);
  const held = at.marks === 0 ? '' : `${mark} ${paint.faint(pad(limit ?? '', at.marks, 'left'))}  `;
  return `${pad(name, at.names, 'left')}  ${tone(pad(text, at.texts, 'right'))}  ${held}${tone(bars)}`;
}

function isIn(all: readonly string[], one: string): boolean {
  return all.includes(one);
}

const urgency = ['fail', 'undecided', undefined, 'pass'] as const;

/** The limits for the clients and the script's own, as they stand; those that are broken first. */
export function criteria({ limits, aim, second }: LoadNow, room: Room): Section {
  const isBefore = aim.judged !== undefined && (second?.elapsedMs ?? 0) < aim.judged.from;
  const unknown = isBefore ? `from ${formatDuration(aim.judged.from)}` : 'no data yet';
  const sorted = urgency.flatMap((outcome) => limits.filter((one) => one.outcome === outcome));
  const rows = sorted.map(({ limit, value, outcome }) => [
    limit.name,
    value === undefined ? unknown : formatValue(value, limit.unit, limit.limit),
    formatLimit(limit),
    outcome,
  ]);
  return list('criteria', rows, room);
}

/** What the limits for the servers stand at; those that are broken first. */
export function servers({ servers: samples }: LoadNow, room: Room): Section {
  const isBroken = ({ limit, holds }: ServerSample) => !limit.operator.startsWith('>') && !holds;
  const sorted = [...samples.filter(isBroken), ...samples.filter((one) => !isBroken(one))];
  const rows = sorted.map((one) => [
    one.limit.name,
    formatValue(one.value, one.limit.unit, one.holds ? undefined : one.limit.limit),
    `${formatLimit(one.limit)}  ${[one.monitor, one.source ?? ''].join(' ').trimEnd()}`,
    isBroken(one) ? 'fail' : 'pass',
  ]);
  return list('servers', rows, room);
}

/** A mark, a name, a value and what it is held against, in columns. */
function list(label: string, rows: readonly (readonly (string | undefined)[])[], room: Room): Section {
  const widest = (at: number) => Math.max(0, ...rows.map((row) => textWidth(row[at] ?? '')));
  const [values, held] = [widest(1), Math.min(widest(2), Math.floor(room.room / 3))];
  const names = Math.max(8, Math.min(widest(0), room.room - values - held - 6));
  const lines = rows.map(([name = '', value = '', limit = '', outcome]) => {
    const tone: PaintOf = outcome === 'fail' ? room.paint.bad : (text) => text;
    const mark = markOf(outcome === 'pass' || outcome === 'fail' || outcome === 'undecided' ? outcome : undefined, room);
    const cells = [tone(pad(shorten(name, names), names, 'left')), tone(pad(value, values, 'right'))];
    return `${mark} ${cells.join('  ')}  ${room.paint.faint(shorten(limit, held))}`;
  });
  return { label, lines, least: Math.min(3, lines.length), hidden: (shown) => lines.length - shown };
}

/** A table whose first line is its titles, the first column as wide as there is room; the others right-aligned. */
interface Columns {
  readonly titles: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Titles of columns that give way to names, first to last. */
  readonly yielding: readonly string[];
}

const roomForNames = 20;

function table({ titles, rows, yielding }: Columns, { room, paint }: Room): string[] {
  const widths = titles.map((title, at) => Math.max(textWidth(title), ...rows.map((row) => textWidth(row[at] ?? ''))));
  const shown = new Set(titles.keys());
  const taken = () => [...shown].reduce((sum, at) => sum + (at === 0 ? 0 : (widths[at] ?? 0) + 2), 0);
  for (const title of yielding) {
    if (room - taken() >= Math.min(roomForNames, widths[0] ?? 0)) break;
    shown.delete(titles.indexOf(title));
  }
  const names = Math.max(4, Math.min(widths[0] ?? 0, room - taken()));
  const line = (row: readonly string[]) =>
    [...shown]
      .map((at) => (at === 0 ? pad(shorten(row[0] ?? '', names), names, 'left') : pad(row[at] ?? '', widths[at] ?? 0, 'right')))
      .join('  ');
  return [paint.faint(line(titles)), ...rows.map(line)];
}

/** What the endpoints did over the last seconds, busiest first; where the profile gives a mix, the share that each got and was to get. */
export function endpoints({ second, aim }: LoadNow, most: number, room: Room): Section {
  const all = second?.endpoints ?? [];
  const inAll = second?.endpointsInAll ?? all.length;
  const { overMs = 0, requests = 0 } = second?.recent ?? {};
  const rows = all.slice(0, most).map(({ name, recent }) => {
    const share = aim.shares === undefined ? '' : shareText(name, recent, { requests, shares: aim.shares });
    return [oneLine(name), ...numbersOf(recent, overMs), share];
  });
  const hasShares = aim.shares !== undefined;
  const titles = [`over the last ${seconds(overMs)}`, ...titlesOfNumbers, ...(hasShares ? ['got / wanted'] : [])];
  const yielding = ['p50', 'p99', 'errors', 'got / wanted'];
  const lines = rows.length === 0 ? [] : table({ titles, rows, yielding }, room);
  return { label: 'endpoints', lines, least: Math.min(4, lines.length), hidden: (shown) => inAll - Math.max(0, shown - 1) };
}

const titlesOfNumbers = ['req/s', 'errors', 'p50', 'p95', 'p99'];

/** What the scenarios did over the last seconds, where there are several. */
export function scenarios({ second }: LoadNow, room: Room): Section {
  const all = second?.scenarios ?? [];
  const { overMs = 0 } = second?.recent ?? {};
  const rows = all.map((one) => [oneLine(one.name), ...numbersOf(one, overMs)]);
  const titles = [`over the last ${seconds(overMs)}`, ...titlesOfNumbers];
  const lines = rows.length === 0 ? [] : table({ titles, rows, yielding: ['p50', 'p99', 'errors'] }, room);
  return { label: 'scenarios', lines, least: Math.min(4, lines.length), hidden: (shown) => rows.length - Math.max(0, shown - 1) };
}

function numbersOf(recent: RecentSample | undefined, overMs: Milliseconds): string[] {
  const ms = (value: Milliseconds | undefined) => (value === undefined ? dash : formatValue(value, 'ms'));
  if (recent === undefined || overMs === 0) return Array.from({ length: 5 }, () => dash);
  const { requests, failedRequests, p50, p95, p99 } = recent;
  const errors = `${formatCount(failedRequests)}${errorShare(failedRequests, requests)}`;
  return [liveRate(requests / (overMs / 1000)), errors, ms(p50), ms(p95), ms(p99)];
}

function shareText(
  name: string,
  recent: RecentSample | undefined,
  { requests, shares }: { readonly requests: number; readonly shares: Readonly<Record<string, Share>> },
): string {
  const wanted = Object.hasOwn(shares, name) ? shares[name] : undefined;
  if (recent === undefined || requests === 0) return '';
  const got = percent(recent.requests / requests);
  return wanted === undefined ? got : `${got} / ${percent(wanted)}`;
}

function percent(share: Share): string {
  return `${Math.round(share * 1000) / 10}%`;
}

/** The runners: how many are heard of, then each of them, those that were lost first. */
export function runners({ runners: all, second }: LoadNow, room: Room): Section {
  const sorted = [...all].sort(([, a], [, b]) => Number(b.state === 'lost') - Number(a.state === 'lost'));
  const lost = sorted.filter(([, { state }]) => state === 'lost').length;
  const heard = `${formatCount(second?.runnersReporting ?? 0)} of ${formatCount(all.size)} report`;
  const whole = lost === 0 ? heard : `${room.paint.bad(`${formatCount(lost)} lost`)} · ${heard}`;
  const one = ([id, { host, vus, state, why }]: readonly [unknown, RunnerNow]) => {
    const parts = [`${id}`, host, vus === undefined ? '' : counted(vus, 'VU'), why === undefined ? state : `${state} (${why})`];
    const text = shorten(oneLine(parts.filter((part) => part !== '').join(' · ')), room.room);
    return state === 'lost' ? room.paint.bad(text) : text;
  };
  const lines = all.size === 0 ? [] : [whole, ...sorted.map(one)];
  return { label: 'runners', lines, least: Math.min(lines.length, lost > 0 ? 2 : 1) };
}

const inTone: Readonly<Record<Said['sentence']['tone'], (paint: Paint) => PaintOf>> = {
  title: ({ strong }) => strong,
  plain: () => (text) => text,
  faint: ({ faint }) => faint,
  good: ({ good }) => good,
  bad: ({ bad }) => bad,
  warn: ({ warn }) => warn,
};

/** What was said last, the newest at the end. */
export function events({ said, releasedAt }: LoadNow, most: number, room: Room): Section {
  const lines = said.slice(-most).map(({ t, sentence: { tone, text } }) => {
    const at = t < releasedAt ? 'before' : formatDuration(Math.floor((t - releasedAt) / 1000) * 1000).replace('0ms', '0s');
    return `${room.paint.faint(pad(at, 7, 'left'))}${inTone[tone](room.paint)(shorten(oneLine(text), room.room - 7))}`;
  });
  return { label: 'events', lines, least: Math.min(2, lines.length), fromEnd: true };
}

function oneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ');
}

function seconds(overMs: Milliseconds): string {
  return `${Math.max(1, Math.round(overMs / 1000))} s`;
}

/** Where the load is: which part of it, and how much is left. */
export function courseOf({ aim: { judged }, isStopping, second }: LoadNow): string[] {
  if (second === undefined) return ['load', 'waiting for the first numbers'];
  const { elapsedMs, totalMs } = second;
  const whole = (ms: Milliseconds) => formatDuration(Math.max(1000, Math.round(ms / 1000) * 1000));
  const left = totalMs > elapsedMs ? `${whole(totalMs - elapsedMs)} left` : 'ending';
  return [partOf(elapsedMs, judged), `${whole(elapsedMs)} of ${whole(totalMs)}`, isStopping ? 'ending early' : left];
}

function partOf(elapsedMs: Milliseconds, judged: LoadNow['aim']['judged']): string {
  if (judged === undefined) return 'load';
  if (elapsedMs < judged.from) return `ramp-up, judged from ${formatDuration(judged.from)} on`;
  return elapsedMs <= judged.to ? 'judged window' : 'ramp-down';
}

/** The whole fleet, now. */
export function fleetOf(second: LiveSecond): string[] {
  const { vus, requests, requestsPerSecond, failedRequests } = second;
  return [
    counted(vus, 'VU'),
    `${liveRate(requestsPerSecond)} requests/s`,
    `${counted(failedRequests, 'error')}${errorShare(failedRequests, requests)}`,
  ];
}
