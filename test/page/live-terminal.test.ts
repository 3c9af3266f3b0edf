import { readFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { type Workplace, workplace } from '../support/loadctl.js';
import { hasTerminals, type InTerminal, type ScreenNow, startInTerminal, type TerminalSize } from '../support/pty.js';
import { startTarget } from '../support/target.js';

const bin = fileURLToPath(new URL('../../bin/loadctl.js', import.meta.url));
const inTerminal = hasTerminals() ? test : test.skip;
const small = { columns: 80, rows: 24 };
const large = { columns: 200, rows: 60 };

const script = `import http from 'k6/http';
import { sleep } from 'k6';
export default () => {
  http.get(__ENV.BASE_URL + '/work', { tags: { name: 'GET /work' } });
  http.get(__ENV.BASE_URL + '/orders', { tags: { name: 'GET /订单列表接口' } });
  sleep(0.1);
};`;

/** A load of one runner that lasts as long as a test wants, beside which others use the machine. */
async function place(duration = '120s'): Promise<Workplace> {
  const target = await startTarget();
  return workplace({
    'profiles/dev.yaml': `target: {url: "${target.url}", health: /healthz}
workload: {script: ../script.js, vus: 2, duration: ${duration}}
runners: {count: 1}
sla: {p95: < 10s, errors: < 1%}
`,
    'script.js': script,
  });
}

interface Asked {
  readonly args?: readonly string[];
  readonly env?: Record<string, string>;
  readonly size?: TerminalSize;
}

function run(at: Workplace, { args = ['run', '--env', 'dev'], env = {}, size = small }: Asked = {}): InTerminal {
  const { PATH = '', HOME = '', LOADCTL_K6 = '' } = process.env;
  const terminal = startInTerminal([process.execPath, bin, ...args], at.folder, { PATH, HOME, LOADCTL_K6, LANG: 'C.UTF-8', ...env }, size);
  onTestFinished(terminal.hangUp);
  return terminal;
}

/** The screen once it fits. */
async function until(terminal: InTerminal, fits: (screen: ScreenNow) => boolean): Promise<ScreenNow> {
  let now = await terminal.screen();
  await expect
    .poll(
      async () => {
        now = await terminal.screen();
        return fits(now);
      },
      { timeout: 60_000, interval: 50, message: terminal.shown() },
    )
    .toBe(true);
  return now;
}

const textOf = ({ lines }: ScreenNow) => lines.join('\n');
const isFull = (screen: ScreenNow) =>
  screen.isAlternate && /^ +p95 +[\d.]+ ms/m.test(textOf(screen)) && /GET \/work +\d/.test(textOf(screen));
const isShort = (screen: ScreenNow) => !screen.isAlternate && /p95 [^\n]*1 runner/.test(textOf(screen));

/** What it was sent, with its escapes to be seen. */
function visibly(terminal: InTerminal): string {
  return terminal.shown().replaceAll('\u001b', '␛');
}

/** The main screen, with its cursor, lines that break, and no trace of the view. */
async function restored(terminal: InTerminal): Promise<string> {
  const screen = await terminal.screen();
  expect(screen).toMatchObject({ isAlternate: false, breaksLines: true, showsCursor: true });
  const all = screen.all.join('\n');
  expect(all).not.toContain('over the last');
  expect(all).not.toMatch(/p50 .* p99 /);
  return all;
}

inTerminal('a terminal of 80×24 is taken as a whole, follows its size, refuses Ctrl-Z, and comes back after Ctrl-C', async () => {
  const at = await place();
  const terminal = run(at);
  const full = await until(terminal, isFull);
  expect(full.lines[0]).toMatch(/^ run dev · load · \d+s of 2m · \S+ left +[█░]+$/);
  expect(textOf(full)).toMatch(/✔ p95 +[\d.]+ ms +< 10,000 ms/);
  expect(textOf(full)).toMatch(/runners +1 of 1 report/);

  terminal.type('\x1a');
  await until(terminal, (screen) => textOf(screen).includes('Ctrl-Z is ignored'));

  await terminal.resize({ columns: 60, rows: 20 });
  const short = await until(terminal, isShort);
  expect(short.all.join('\n')).toContain('Ctrl-Z is ignored while there are runners');
  expect(short.all.filter((line) => line.includes('GET /work'))).toHaveLength(1);
  await terminal.resize({ columns: 37, rows: 20 });
  const narrow = await until(terminal, ({ isAlternate, all }) => !isAlternate && all.some((line) => /^ {2}p99 .* · 1 runner$/.test(line)));
  expect(narrow.all.filter((line) => line.includes('GET /work'))).toHaveLength(1);
  await terminal.resize({ columns: 110, rows: 30 });
  const wide = await until(terminal, isFull);
  expect(wide.lines[0]).toMatch(/^ run dev/);
  expect(wide.lines.filter((line) => line.includes('GET /work'))).toHaveLength(1);

  terminal.type('\x03');
  expect(await terminal.exitCode, terminal.shown()).toBe(105);
  const all = await restored(terminal);
  expect(all).toContain('the load begins: 1 runner released together');
  expect(all).toContain('stopping gracefully');
  expect(all).toContain('INTERRUPTED');
  expect(terminal.shown().split('\u001b[?2026h')).toHaveLength(terminal.shown().split('\u001b[?2026l').length - leaves(terminal));
});

/** Where a screen is given back, what may have been left open is closed. */
function leaves(terminal: InTerminal): number {
  return terminal.shown().split('\u001b[?1049l').length - 1;
}

inTerminal('200×60 without colours: wide names stand in their columns; SIGTERM gives the screen back', async () => {
  const at = await place();
  const terminal = run(at, { size: large, env: { NO_COLOR: '1' } });
  const full = await until(terminal, (screen) => isFull(screen) && /GET \/订单列表接口 +\d/.test(textOf(screen)));
  const [plain, wide] = ['GET /work', 'GET /订单列表接口'].map((name) => full.lines.find((line) => line.includes(name)) ?? '');
  // Each of the six wide letters is one in the text and two on the screen.
  expect((plain ?? '').trimEnd().length).toBe((wide ?? '').trimEnd().length + 6);

  process.kill(terminal.pid(), 'SIGTERM');
  expect(await terminal.exitCode, terminal.shown()).toBe(105);
  expect(await restored(terminal)).toContain('SIGTERM received: stopping gracefully');
  expect(visibly(terminal)).not.toMatch(/␛\[[\d;]*m/);
});

inTerminal.each([
  ['SIGQUIT', 131],
  ['SIGHUP', 105],
] as const)('so does %s', async (signal, exit) => {
  const at = await place();
  const terminal = run(at);
  await until(terminal, isFull);
  process.kill(terminal.pid(), signal);
  expect(await terminal.exitCode, terminal.shown()).toBe(exit);
  expect(await restored(terminal)).toContain('run dev: 1 runner (local)');
});

inTerminal('an error that nobody caught is read on the main screen, which is as it was', async () => {
  const at = await place();
  // A bug wherever: thrown from a signal's listener, where nothing of loadctl can catch it.
  const bug = at.file('bug.mjs', "process.on('SIGUSR2', () => { throw new Error('a bug of ours'); });\n");
  const terminal = run(at, { env: { NODE_OPTIONS: `--import ${pathToFileURL(bug).href}` } });
  await until(terminal, isFull);
  process.kill(terminal.pid(), 'SIGUSR2');
  expect(await terminal.exitCode, terminal.shown()).toBe(1);
  expect(await restored(terminal)).toContain('error: a bug of ours');
});

inTerminal('attach shows it too, gives the screen back while it is stopped, and leaves at SIGHUP; the run goes on', async () => {
  const at = await place();
  const made = at.start(['run', '--env', 'dev', '--view', 'full']);
  onTestFinished(() => void made.process.kill('SIGKILL'));
  await made.until('the load begins');
  const terminal = run(at, { args: ['attach', '--view', 'full'], size: { columns: 70, rows: 18 } });
  await until(terminal, (screen) => screen.isAlternate && textOf(screen).includes('run dev'));

  process.kill(terminal.pid(), 'SIGTSTP');
  await expect.poll(() => stateOf(terminal.pid())).toBe('T');
  terminal.goOn();
  await expect.poll(() => terminal.shown().split('\u001b[?1049h').length).toBe(3);
  expect(terminal.shown()).toMatch(/\?1049h.*\?1049l.*\?1049h/s);
  await until(terminal, (screen) => screen.isAlternate && textOf(screen).includes('run dev'));
  expect(terminal.shown()).not.toContain('Ctrl-Z is ignored');

  process.kill(terminal.pid(), 'SIGHUP');
  expect(await terminal.exitCode, terminal.shown()).toBe(0);
  expect(await restored(terminal)).toMatch(/Left; run \S+ goes on/);
  made.process.kill('SIGINT');
  const said = await made.said;
  expect(said.code).toBe(105);
  expect(said.stderr).not.toContain('\u001b');
});

/** A process as the kernel has it: `T` is stopped. */
function stateOf(pid: number): string | undefined {
  return /^\d+ \(.*\) (\w)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1];
}

inTerminal.each([
  ['asked for', { args: ['run', '--env', 'dev', '--view', 'lines'] }],
  ['where the terminal can do no more', { env: { TERM: 'dumb' } }],
  ['in CI', { env: { CI: '1' } }],
])('lines are lines, %s', async (_, asked) => {
  const at = await place('2s');
  const terminal = run(at, asked);
  await terminal.exitCode;
  expect(terminal.shown()).toContain('the load ended after');
  expect(visibly(terminal)).not.toMatch(/␛\[(?:\?|\d*[A-HJK])/);
});

inTerminal('at its planned end the result stands below what was said', async () => {
  const at = await place('4s');
  const terminal = run(at);
  await until(terminal, ({ isAlternate }) => isAlternate);
  await terminal.exitCode;
  const all = await restored(terminal);
  expect(all.indexOf('the load ended after')).toBeGreaterThan(all.indexOf('the load begins'));
  expect(all.search(/^(PASS|FAIL|INVALID)/m)).toBeGreaterThan(all.indexOf('the load ended after'));
});
