import { expect, test } from 'vitest';
import { runnerId } from '../../src/core/ids.js';
import type { Warning } from '../../src/core/warnings.js';
import { noteText } from '../../src/reporters/sentences/note.js';
import { abortReason, stopReason } from '../../src/reporters/sentences/stop.js';
import { warningText } from '../../src/reporters/sentences/warning.js';

const db = { store: 'db', shard: 1 };

test.each<[Warning, string]>([
  [
    { code: 'clock-off', host: 'load-1', offsetMs: -2500 },
    "The clock of load-1 is 2.5s behind this machine's, and so are the times in the logs of its runners.",
  ],
  [
    { code: 'k6-versions-differ', versions: { '2.2.0': ['this machine'], '2.1.0': ['load-1', 'load-2'] } },
    'k6 is not the same everywhere: 2.2.0 on this machine; 2.1.0 on load-1, load-2.',
  ],
  [
    { code: 'generators-crowded', host: 'x', runners: ['1', '2'], forMs: 41_000, ofMs: 60_000, k6: 0.1 },
    "The machine of runners 1 and 2 was above 90% CPU for 41 s of 60 s, most of it by others (k6: 10%): latencies may be longer than the target's.",
  ],
  [
    {
      code: 'live-colour-in-reach',
      gap: { why: 'shared-address', live: 'blue', loaded: 'green', host: 'b', addresses: ['10.0.0.2'], byName: true },
    },
    'blue, the live colour, shares the address 10.0.0.2 with green: the runners are kept away from it by its name alone.',
  ],
  [
    { code: 'numbers-pushed-only', runners: [runnerId(2)], uncounted: ['checks'] },
    'Runner 2 wrote no summary; using the live data received until then. Counts for checks are unknown and excluded.',
  ],
  [{ code: 'numbers-missing', runners: [runnerId(3)], lost: 1 / 3 }, 'Runner 3 left no numbers: 33.3% of the load is not in the result.'],
  [
    { code: 'numbers-cut-off', runners: [runnerId(1), runnerId(2), runnerId(3)] },
    'Runners 1, 2 and 3 ended at once, before writing a summary; using the live data received until then.',
  ],
  [
    { code: 'clock-jumped', byMs: 120_000 },
    'The clock of this machine jumped 2m ahead: it was set, or the machine slept. Measurements do not use it.',
  ],
  [{ code: 'clock-jumped', byMs: -3_600_000 }, 'The clock of this machine jumped 1h back: it was set. Measurements do not use it.'],
  [
    { code: 'lock-lost', place: db, why: 'the server ended the connection', retryMs: 10_000 },
    'db shard 1: lost the lock (the server ended the connection); retrying for 10s',
  ],
  [
    { code: 'entries-vanished', place: { store: 'cache', shard: null }, key: 'user:{n}', count: 1 },
    'cache: 1 entry of user:{n} vanished before being read back, written again',
  ],
  [
    { code: 'output-behind', output: 'slack', why: 'ECONNREFUSED' },
    'output slack is behind: ECONNREFUSED. The run goes on; what waits is sent later.',
  ],
  [{ code: 'output-refused', output: 'hook', why: 'it answered 404' }, 'output hook loses data: it answered 404. The run goes on.'],
  [
    { code: 'output-incomplete', output: 'influx', kept: 3, lost: 1, unit: 'second', command: 'loadctl resend r' },
    'output influx: 3 seconds not sent yet, 1 second lost',
  ],
])('%j has its sentence', (warning, text) => {
  expect(warningText(warning).text).toBe(text);
});

test('a stop says who or what ended the load', () => {
  expect(stopReason({ cause: 'asked', by: { user: 'ann', host: 'laptop' } })).toBe('The run was stopped by ann on laptop (loadctl stop).');
  expect(stopReason({ cause: 'runner-lost', runner: runnerId(2), end: { cause: 'killed', signal: 'SIGKILL' } })).toBe(
    'Runner 2 was lost: killed by SIGKILL.',
  );
});

test('an abort has its own reason: the script’s, or k6’s', () => {
  const [byScript, byK6] = ['test.abort(): enough.', 'error building browser: no chromium'];
  expect(abortReason(runnerId(1), { cause: 'aborted' })).toBe('The script called test.abort() in runner 1.');
  expect(abortReason(runnerId(1), { cause: 'aborted', said: byScript })).toBe('The script called test.abort() in runner 1: enough.');
  expect(abortReason(runnerId(1), { cause: 'aborted', said: byK6 })).toBe(
    'k6 aborted the test in runner 1: error building browser: no chromium.',
  );
});

test('a note without data to clean up says so', () => {
  expect(noteText({ code: 'cleanup-advised', command: 'loadctl cleanup --env dev', hasData: false })).toBe(
    'Nothing to clean up: this profile declares no test data.',
  );
});
