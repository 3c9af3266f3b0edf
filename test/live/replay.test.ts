import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { workplace } from '../support/loadctl.js';
import { hasTerminals, startInTerminal } from '../support/pty.js';
import { eventsIn, finalScreen, replayJson, replayPlain, replayTerminal } from '../support/replay.js';
import { startTarget } from '../support/target.js';

const bin = fileURLToPath(new URL('../../bin/loadctl.js', import.meta.url));

/** A script with everything that a run tells of: setup, checks, a summary of its own, a teardown. */
const script = `import http from 'k6/http';
import { check, sleep } from 'k6';
export const options = { thresholds: { checks: ['rate>0.5'] } };
export const setup = () => ({ at: 1 });
export default () => {
  const answer = http.get(__ENV.BASE_URL + '/work', { tags: { name: 'GET /work' } });
  check(answer, { 'is 200': ({ status }) => status === 200 });
  http.get(__ENV.BASE_URL + '/other/' + Math.random(), { tags: { name: 'GET /other' } });
  sleep(0.05);
};
export function teardown() { console.warn('gone'); }
export function handleSummary() { return { stdout: 'my own summary', stderr: 'and a word\\n' }; }
`;

async function place() {
  const target = await startTarget();
  return workplace({
    'profiles/dev.yaml': `target: {url: "${target.url}", health: /healthz}
workload: {script: ../script.js, vus: 4, duration: 3s}
runners: {count: 2}
sla: {p95: < 5s, errors: < 1%, availability: 99.9%}
critical: {cpu: < 80%}
`,
    'script.js': script,
  });
}

test('plain lines and tables are a fold over the events of the run', async () => {
  const { loadctl, latestRun } = await place();
  const said = await loadctl(['run', '--env', 'dev']);
  const told = await replayPlain(eventsIn(latestRun()));
  expect(said.stderr).toBe(told.stderr);
  expect(said.stdout).toBe(told.stdout);
  expect(said.stderr).toContain('critical limits (cpu < 80%) will not be measured');
  expect(said.stdout).toContain('my own summary');
  expect(said.stdout).toContain('GET /other');
});

const passes = (text: string) => text;

test.each([
  ['that passes', passes, passes, 0],
  ['that fails its SLA', (profile: string) => profile.replace('p95: < 5s', 'p95: < 1us'), passes, 99],
  ['whose setup() throws', passes, (code: string) => code.replace('({ at: 1 })', "{ throw new Error('no seats'); }"), 107],
])('so is --json of a run %s', async (_, profile, code, exit) => {
  const at = await place();
  at.file('profiles/dev.yaml', profile(at.read('profiles/dev.yaml')));
  at.file('script.js', code(script));
  const said = await at.loadctl(['run', '--env', 'dev', '--json']);
  expect(said.code, said.stderr).toBe(exit);
  const events = eventsIn(at.latestRun());
  expect(JSON.parse(said.stdout)).toEqual(replayJson(events));
  expect(said.stderr).toBe((await replayPlain(events)).stderr);
  expect(events[0]?.type).toBe('command-started');
  expect(events.at(-1)).toMatchObject({ type: 'command-finished' });
  expect(events.map(({ t }) => t)).toEqual(events.map(({ t }) => t).toSorted((a, b) => a - b));
});

const inTerminal = hasTerminals() ? test : test.skip;

inTerminal('and so is what a terminal shows at last', async () => {
  const at = await place();
  const { PATH = '', HOME = '', LOADCTL_K6 = '' } = process.env;
  const run = startInTerminal([process.execPath, bin, 'run', '--env', 'dev'], at.folder, { PATH, HOME, LOADCTL_K6 });
  await run.exitCode;
  expect(await finalScreen(run.shown())).toEqual(await replayTerminal(eventsIn(at.latestRun())));
});
