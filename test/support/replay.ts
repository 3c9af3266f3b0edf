import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import xterm from '@xterm/headless';
import type { LoggedEvent } from '../../src/core/events.js';
import type { Screen } from '../../src/core/os.js';
import { forScreen } from '../../src/core/sanitise.js';
import { reporters } from '../../src/reporters/index.js';
import { jsonReport } from '../../src/reporters/json.js';
import { loadPaint, noPaint } from '../../src/reporters/paint.js';
import { suspension } from '../../src/world/suspend.js';
import { takeover } from '../../src/world/whole-screen.js';

const columns = 80;
const rows = 24;

/** The events of a run, as its directory has them. */
export function eventsIn(directory: string): LoggedEvent[] {
  const lines = readFileSync(join(directory, 'events.ndjson'), 'utf8').trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as LoggedEvent);
}

/** What plain output says of these events: on stdout and on stderr. */
export async function replayPlain(events: readonly LoggedEvent[]): Promise<{ stdout: string; stderr: string }> {
  const [talk, results] = [screen(false), screen(false)];
  const reporter = await reporters.plain({ talk, talkPaint: noPaint, results, resultsPaint: noPaint });
  for (const event of events) reporter.handle(event);
  reporter.close();
  return { stdout: results.text(), stderr: talk.text() };
}

/** What `--json` prints of these events. */
export function replayJson(events: readonly LoggedEvent[]): unknown {
  const report = jsonReport();
  for (const event of events) report.add(event);
  return JSON.parse(JSON.stringify(report.read()));
}

/** What a terminal shows at last, after these events. */
export async function replayTerminal(events: readonly LoggedEvent[]): Promise<string[]> {
  const both = screen(true);
  const paint = await loadPaint(true);
  const reporter = await reporters.terminal({ talk: both, talkPaint: paint, results: both, resultsPaint: paint });
  for (const event of events) reporter.handle(event);
  reporter.close();
  return finalScreen(both.text().replaceAll('\n', '\r\n'));
}

/** The lines that a terminal of 80 columns holds after `shown`, all that scrolled out of sight included. */
export async function finalScreen(shown: string): Promise<string[]> {
  const terminal = new xterm.Terminal({ cols: columns, rows, scrollback: 10_000, allowProposedApi: true });
  await new Promise<void>((resolve) => terminal.write(shown, resolve));
  const { active } = terminal.buffer;
  const lines = Array.from({ length: active.length }, (_, at) => active.getLine(at)?.translateToString(true) ?? '');
  terminal.dispose();
  return lines.join('\n').trimEnd().split('\n');
}

/** A screen that remembers what is written to it. */
function screen(isTerminal: boolean): Screen & { text(): string } {
  let shown = '';
  const pass = (text: string) => {
    shown += text;
  };
  const stream = new Writable({ write: (chunk, _, done) => done(void pass(String(chunk))) });
  const drawn = Object.assign(stream, { isTTY: isTerminal, columns, rows, fd: 1 as const, ...cursor(pass) });
  return {
    write: (text) => pass(forScreen(text)),
    pass,
    isTerminal,
    takeWhole: takeover({ stream: drawn, descriptor: () => undefined }, suspension({ on: () => {}, off: () => {}, send: () => {} })).take,
    isBehind: false,
    width: columns,
    height: rows,
    stream: drawn as unknown as NodeJS.WriteStream,
    text: () => shown,
  };
}

/** The few movements that a library asks of a terminal's stream. */
function cursor(write: (text: string) => void) {
  return {
    cursorTo: (x: number) => void write(`\x1b[${x + 1}G`),
    clearLine: () => void write('\x1b[2K'),
    moveCursor: (_: number, dy: number) => void write(dy < 0 ? `\x1b[${-dy}A` : `\x1b[${dy}B`),
  };
}
