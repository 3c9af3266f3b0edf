import xterm from '@xterm/headless';
import { describe, expect, test } from 'vitest';
import type { EndpointSample, LoggedEvent } from '../../src/core/events.js';
import type { Screen } from '../../src/core/os.js';
import type { LiveValue } from '../../src/core/quantities.js';
import { forScreen } from '../../src/core/sanitise.js';
import { liveView } from '../../src/reporters/live-view.js';
import { noPaint } from '../../src/reporters/paint.js';
import { painter } from '../../src/reporters/painter.js';
import { redrawn } from '../../src/reporters/redrawn.js';

const exactly = (value: number): LiveValue => ({ value, low: value, high: value });
const latency = { p50: exactly(5), p95: exactly(12), p99: exactly(31.5) };
const endpoint = (name: string, requests: number, failedRequests = 0): EndpointSample => ({
  name,
  requests,
  requestsPerSecond: requests / 10,
  failedRequests,
  latency,
});
const sample: Extract<LoggedEvent, { type: 'fleet-sampled' }> = {
  at: 0,
  t: 0,
  type: 'fleet-sampled',
  elapsedMs: 32_000,
  totalMs: 60_000,
  vus: 100,
  requests: 4000,
  requestsPerSecond: 125.4,
  failedRequests: 2,
  iterations: 4000,
  runnersReporting: 2,
  latency,
  endpoints: [endpoint('GET /', 3000), endpoint('POST /orders/{id}/lines', 1000, 2), endpoint('GET /health\nx', 20)],
};
const many = {
  ...sample,
  endpoints: Array.from({ length: 30 }, (_, index) => endpoint(`GET /very/long/path/of/an/endpoint/with/number/${index}`, 1000 - index)),
  endpointsInAll: 47,
};
const view = (width: number, height: number, of = sample) => liveView(of, [], { paint: noPaint, width, height });

describe('the live view', () => {
  test('shows the fleet and its endpoints', () => {
    expect(`\n${view(80, 24).join('\n')}`).toMatchInlineSnapshot(`
      "
        ███████████░░░░░░░░░ 32s/1m · 100 VUs · 125 requests/s · 2 errors (0.05%)
        p50 5 ms · p95 12 ms · p99 31.5 ms · 2 runners
        endpoint                 requests  req/s    errors    p95
        GET /                       3,000  300/s         0  12 ms
        POST /orders/{id}/lines     1,000  100/s  2 (0.2%)  12 ms
        GET /health x                  20    2/s         0  12 ms"
    `);
  });

  test.each([
    [10, ['32s/1m · 100 VUs · 125 requests/s', '2 errors (0.05%)', 'p50 5 ms · p95 12 ms · p99 31.5 ms', '2 runners']],
    [8, ['32s/1m · 100 VUs · 125 requests/s', '2 errors (0.05%)', 'p50 5 ms · p95 12 ms · p99 31.5 ms']],
    [4, ['32s/1m · 100 VUs · 125 requests/s', 'p50 5 ms · p95 12 ms · p99 31.5 ms']],
  ])('breaks no number where there are 40 columns and %i lines', (height, expected) => {
    expect(view(40, height).map((line) => line.trim())).toEqual(expected);
  });

  test('shows the busiest endpoints where there are more than lines, and how many others', () => {
    const lines = view(80, 24, many);
    expect(lines).toHaveLength(11);
    expect(lines.at(-1)).toBe('  … and 40 more');
    expect(view(80, 200, many).at(-1)).toBe('  … and 17 more');
    expect(view(80, 8, many)).toEqual(view(80, 8, sample).slice(0, 2));
  });

  test.each([30, 40, 60, 80, 120])('keeps within %i columns', (width) => {
    for (const line of view(width, 24, many).slice(0, width < 60 ? 2 : undefined)) expect(line.length).toBeLessThan(width);
  });
});

/** A terminal as far as lines that are drawn over themselves need one: rows, a cursor, and breaking what is too wide. */
function terminal(columns: number) {
  const csi = '\u001b\\[';
  let [lines, row, width] = [[''], 0, columns];
  const break_ = (line: string) => line.match(new RegExp(`.{1,${width}}`, 'gu')) ?? [''];
  const write = (text: string) => {
    const control = new RegExp(`${csi}\\??(\\d*)([a-zA-Z])|\\r|\\n`, 'u');
    for (let rest = text; rest !== ''; ) {
      const [found = '', count, command] = control.exec(rest) ?? [];
      const at = found === '' ? rest.length : rest.indexOf(found);
      if (at > 0) lines[row] = rest.slice(0, Math.min(at, width));
      if (command === 'A') row = Math.max(0, row - Number(count));
      if (command === 'K') lines[row] = '';
      if (command === 'J') lines = lines.slice(0, row);
      if (found === '\n') {
        lines[row] ??= '';
        row += 1;
      }
      rest = rest.slice(at + found.length);
    }
  };
  const screen = { write: (text: string) => write(forScreen(text)), pass: write, height: 24, isTerminal: true, stream: process.stderr };
  return {
    screen: Object.defineProperty(screen, 'width', { get: () => width }) as unknown as Screen,
    lines: () => lines.slice(0, row),
    narrow(to: number) {
      width = to;
      lines = lines.flatMap(break_);
      row = lines.length;
    },
  };
}

describe('what is redrawn', () => {
  test('stands where it stood, however many lines it has, and goes without a trace', () => {
    const { screen, lines } = terminal(20);
    const block = redrawn(screen);
    screen.write('before\n');
    block.draw(['one', 'two', 'three']);
    block.draw(['uno', 'dos']);
    expect(lines()).toEqual(['before', 'uno', 'dos']);
    block.clear();
    block.clear();
    screen.write('after\n');
    expect(lines()).toEqual(['before', 'after']);
  });

  test('is found again where the terminal was made narrower', () => {
    const { screen, lines, narrow } = terminal(20);
    const block = redrawn(screen);
    screen.write('before\n');
    block.draw(['123456789012345', '', '12345']);
    narrow(6);
    block.draw(['short']);
    expect(lines()).toEqual(['before', 'short']);
  });
});

/** A real terminal's screen, without a window. */
function emulated(columns: number, rows: number) {
  const terminal = new xterm.Terminal({ cols: columns, rows, scrollback: 100, allowProposedApi: true });
  const taken: string[] = [];
  const write = (text: string) => terminal.write(forScreen(text).replaceAll('\n', '\r\n'));
  const whole = (redraw: () => void) => {
    terminal.write('\u001b[?1049h');
    taken.push('taken');
    redraws.push(redraw);
    return { write, giveBack: () => terminal.write('\u001b[?1049l') };
  };
  const redraws: (() => void)[] = [];
  const screen = { write, pass: write, isTerminal: true, isBehind: false, stream: process.stderr, takeWhole: whole };
  const sized = Object.defineProperties(screen, { width: { get: () => terminal.cols }, height: { get: () => terminal.rows } });
  const settled = () => new Promise<void>((resolve) => terminal.write('', resolve));
  return {
    screen: sized as unknown as Screen,
    taken,
    redraws,
    resize: async (to: number, height = rows) => {
      await settled();
      terminal.resize(to, height);
    },
    lines: async () => {
      await settled();
      const { active } = terminal.buffer;
      const all = Array.from({ length: active.length }, (_, at) => active.getLine(at)?.translateToString(true) ?? '');
      return all.join('\n').trimEnd().split('\n');
    },
  };
}

test.each([39, 38, 37, 33, 21, 20, 13, 7])(
  'a block with wide letters leaves no line behind on a terminal narrowed to %i columns, and widened again',
  async (narrow) => {
    const { screen, resize, lines } = emulated(40, 60);
    screen.write('before\n');
    const block = redrawn(screen);
    const wide = ['一二三四五六七八九十一二三四五六七八九十', 'a一b二c三d四e五f六g七h八i九j十', 'plain', '', '漢'.repeat(60)];
    block.draw(wide);
    await resize(narrow);
    block.draw(['one', '二']);
    expect(await lines()).toEqual(['before', 'one', '二']);
    await resize(80);
    block.draw([...wide, 'last']);
    block.clear();
    screen.write('after\n');
    expect(await lines()).toEqual(['before', 'after']);
  },
);

describe('a screen that is taken as a whole', () => {
  test('is written where lines changed, and drawn anew at another size and where it was lost', async () => {
    const { screen, lines, resize, redraws, taken } = emulated(20, 5);
    const written: string[] = [];
    const { takeWhole } = screen;
    const counting: Screen = Object.create(screen, {
      takeWhole: {
        value: (redraw: () => void) => {
          const whole = takeWhole(redraw);
          const write = (text: string) => {
            written.push(text);
            whole.write(text);
          };
          return { ...whole, write };
        },
      },
    });
    screen.write('below');
    let drawn = ['one', 'two', '三四'];
    const paint = painter(counting, () => paint.draw(drawn));
    expect(paint.isOpen).toBe(false);
    paint.draw(drawn);
    expect(await lines()).toEqual(drawn);
    drawn = ['one', '2', '三四'];
    paint.draw(drawn);
    paint.draw(drawn);
    expect(written).toHaveLength(2);
    expect(written[1]).toContain('2');
    expect(written[1]).not.toContain('one');
    paint.draw(['one']);
    expect(await lines()).toEqual(['one']);
    await resize(30, 5);
    paint.draw(['one']);
    expect(written.at(-1)).toContain('one');
    redraws[0]?.();
    expect(await lines()).toEqual(drawn);
    paint.close();
    expect(await lines()).toEqual(['below']);
    expect(paint.isOpen).toBe(false);
    paint.draw(drawn);
    expect(taken).toHaveLength(2);
    expect(await lines()).toEqual(drawn);
  });
});
