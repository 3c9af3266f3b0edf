import { stripVTControlCharacters } from 'node:util';
import {
  courseOf,
  criteria,
  endpoints,
  events,
  type FullStyle,
  fleetOf,
  pulse,
  type Room,
  runners,
  type Section,
  scenarios,
  servers,
} from './full-sections.js';
import type { LoadNow } from './load-now.js';
import { pad } from './table.js';
import { first, inParts, shorten, textWidth } from './width.js';

const margin = ' ';
const labelWidth = 11;
const longestBar = 40;

/** What goes first where there is no room for all; what is shown is in its own order. */
const byPriority = ['last 10 s', 'criteria', 'endpoints', 'events', 'runners', 'servers', 'scenarios'];

/**
 * The load as a whole screen: at most `height` lines of at most `width` columns. What there is no room for is left out by
 * its priority, line by line, and counted.
 */
export function fullView(now: LoadNow, style: FullStyle): string[] {
  const { width, height, paint, unicode } = style;
  const room: Room = { paint, room: Math.max(10, width - labelWidth - 2) };
  const sections = [
    pulse(now, room),
    criteria(now, room),
    scenarios(now, room),
    endpoints(now, height, room),
    runners(now, room),
    servers(now, room),
    events(now, height, room),
  ].filter(({ lines }) => lines.length > 0);
  const head = headOf(now, style);
  const given = share(sections, height - head.length);
  const shown = sections.flatMap((section) => (given.get(section) ? [linesOf(section, given.get(section) ?? 0, style)] : []));
  const isRoomy = head.length + shown.reduce((sum, lines) => sum + lines.length + 1, 0) <= height;
  const body = isRoomy ? shown.flatMap((lines) => ['', ...lines]) : shown.flat();
  return [...head, ...body].slice(0, height).map((line) => (unicode ? within(line, width) : inAscii(within(line, width))));
}

function headOf(now: LoadNow, { paint, width }: FullStyle): string[] {
  const { second, environment } = now;
  const between = ' · ';
  const title = [`run ${environment}`, ...courseOf(now)].join(between);
  const fleet = second === undefined ? '' : fleetOf(second).join(between);
  const share = second === undefined || second.totalMs <= 0 ? 0 : Math.min(1, second.elapsedMs / second.totalMs);
  const bar = Math.min(longestBar, width - textWidth(title) - 4);
  const filled = Math.round(share * bar);
  const drawn = bar < 5 ? '' : `  ${'█'.repeat(filled)}${paint.faint('░'.repeat(bar - filled))}`;
  return [`${margin}${paint.strong(shorten(title, width - 2))}${drawn}`, `${margin}${inParts(fleet, width - 2)[0] ?? ''}`];
}

/** How many lines each section gets: as few as it needs in the order of priority, then more in the same order. */
function share(sections: readonly Section[], lines: number): Map<Section, number> {
  const ordered = byPriority.flatMap((label) => sections.filter((section) => section.label === label));
  const given = new Map<Section, number>();
  let left = Math.max(0, lines);
  for (const pick of [({ least }: Section) => least, (section: Section) => section.lines.length]) {
    for (const section of ordered) {
      const has = given.get(section) ?? 0;
      const more = Math.min(left, Math.max(0, pick(section) - has));
      // Less than the least says nothing.
      if (has + more < section.least) continue;
      given.set(section, has + more);
      left -= more;
    }
  }
  return given;
}

/** So many lines of a section, with its label beside the first; where things are left out the last one counts them. */
function linesOf({ label, lines, hidden, fromEnd }: Section, count: number, { paint }: FullStyle): string[] {
  const shown = fromEnd ? lines.slice(-count) : lines.slice(0, count);
  const left = hidden?.(count) ?? 0;
  if (left > 0 && count > 1) shown[count - 1] = paint.faint(`… and ${hidden?.(count - 1) ?? left} more`);
  return shown.map((line, at) => `${margin}${paint.faint(pad(at === 0 ? label : '', labelWidth, 'left'))}${line}`.trimEnd());
}

const asciiOf: Readonly<Record<string, string>> = Object.fromEntries(
  [...'▁▂▃▄▅▆▇█░·…–→✔✖×'].map((sign, at) => [sign, '_.-:=+*#.|~->+xx'[at] ?? '?']),
);

/** The signs that loadctl draws with, one for one. Names of others are shown as they are. */
function inAscii(line: string): string {
  return line.replace(/[▁-█░·…–→✔✖×]/gu, (sign) => asciiOf[sign] ?? '?');
}

/** Sections are laid out to fit; one that was not, on a screen of a few columns, is cut without its colours. */
function within(line: string, width: number): string {
  return textWidth(line) <= width ? line : `${first(stripVTControlCharacters(line), width - 1)}…`;
}
