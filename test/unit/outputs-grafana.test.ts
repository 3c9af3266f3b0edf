import { expect, test } from 'vitest';
import type { Criterion } from '../../src/core/criterion.js';
import type { LoadctlEvent, LoggedEvent } from '../../src/core/events.js';
import { openRedactor } from '../../src/core/redactor.js';
import type { Verdict } from '../../src/core/verdict.js';
import { openOutput } from '../../src/outputs/index.js';
import type { Answer, Output, Parcel } from '../../src/outputs/kind/types.js';
import { dashboardLink } from '../../src/outputs/messages/dashboard.js';
import type { PlannedOutput } from '../../src/plan/outputs.js';
import { openWorld } from '../../src/world.js';
import { type Annotations, startAnnotations } from '../servers/grafana.js';
import { runId } from '../support/ids.js';

/* The server is one of this test that answers as Grafana's API is documented to: that a Grafana takes it is not shown here. */

const { clock } = openWorld();
const evil = 'p<9>|9 & "x"\n@channel';
const p95 = { source: 'client', name: evil, metric: 'm', operator: '<', limit: 500, unit: 'ms' } as unknown as Criterion;
const actual = { value: 812, low: 800, high: 820 };
const verdict = { verdict: 'fail', reasons: [], criteria: [] } as unknown as Verdict;
const run = runId('r1');
const begun = 1_800_000_000_000;

function at(t: number, event: LoadctlEvent): LoggedEvent {
  return { at: begun + t, t, ...event };
}

const opened = at(0, { type: 'run-opened', run, directory: '/r', planHash: 'h' });
const events = [
  opened,
  at(1000, { type: 'fleet-released', runners: 1 }),
  at(20_000, { type: 'limit-breached', limit: p95, actual, forMs: 10_000 }),
  at(30_000, { type: 'limit-recovered', limit: p95, actual, forMs: 10_000 }),
  at(60_000, { type: 'load-ended', elapsedMs: 59_000 }),
  at(61_000, { type: 'judged', run, verdict }),
  at(62_000, { type: 'phase-started', phase: 'cleanup', dryRun: false, environment: 'dev' }),
];

function open(to: Annotations, token?: string): Output {
  const planned: PlannedOutput = { name: 'graf', kind: 'grafana', url: `${to.url}/`, dashboard: 'loadctl', ...(token ? { token } : {}) };
  return openOutput(planned, { label: 'loadctl/test', environment: 'dev', clock, redact: openRedactor() });
}

async function send(output: Output, parcels: readonly Parcel[], ms = 5000): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (const parcel of parcels) answers.push(await output.send(parcel, AbortSignal.timeout(ms)));
  return answers;
}

const heard = (output: Output, all: readonly LoggedEvent[]) => all.flatMap((event) => output.heard?.(event) ?? []);

test('a run is a region from its begin to its end, a broken limit another one; what is open at the end is ended', async () => {
  const grafana = await startAnnotations('t');
  const output = open(grafana, 't');
  expect(await send(output, heard(output, events.slice(0, 2)))).toEqual([{ is: 'taken' }, { is: 'taken' }]);
  expect(grafana.kept[0]).toMatchObject({ time: begun, timeEnd: begun });
  await send(output, [...heard(output, events.slice(2)), ...(output.closing?.() ?? [])]);
  const seen = grafana.kept.map(({ text, time, timeEnd, tags }) => [text, time - begun, timeEnd - time, tags]);
  const limit = 'p&lt;9&gt;|9 &amp; "x" @\u200bchannel';
  expect(seen).toEqual([
    ['dev: load test r1 failed', 0, 61_000, ['loadctl', 'dev', 'r1', 'run']],
    ['the load begins', 1000, 0, ['loadctl', 'dev', 'r1', 'load']],
    [`${limit} holds again`, 20_000, 10_000, ['loadctl', 'dev', 'r1', 'breach', 'p<9>|9 & "x" @\u200bchannel']],
    ['the load is over', 60_000, 0, ['loadctl', 'dev', 'r1', 'load']],
    ['dev: cleanup', 62_000, expect.any(Number), ['loadctl', 'dev', 'r1', 'cleanup']],
  ]);
});

test('nothing stands there twice: not where no answer came, and not when another process ends what was begun', async () => {
  const grafana = await startAnnotations('t');
  const output = open(grafana, 't');
  const [begin] = heard(output, [opened]);
  const [, end] = [begin, ...heard(output, [at(61_000, { type: 'judged', run, verdict })])];
  if (begin === undefined || end === undefined) throw new Error('nothing to send');
  grafana.silent(true);
  expect(await send(output, [begin], 200)).toMatchObject([{ is: 'unknown' }]);
  grafana.silent(false);
  expect(await send(output, [begin])).toEqual([{ is: 'taken' }]);
  expect(await send(open(grafana, 't'), [end])).toEqual([{ is: 'taken' }]);
  expect(grafana.kept).toMatchObject([{ text: 'dev: load test r1 failed', time: begun, timeEnd: begun + 61_000 }]);
});

test('who ends what never began writes it whole; a token that is none is refused, a server that is down is tried again', async () => {
  const grafana = await startAnnotations('t');
  const output = open(grafana, 't');
  const parcels = heard(output, [opened, at(61_000, { type: 'judged', run, verdict })]);
  expect(await send(open(grafana, 'other'), parcels.slice(0, 1))).toMatchObject([{ is: 'refused', why: expect.stringContaining('401') }]);
  grafana.answer(503);
  expect(await send(output, parcels)).toMatchObject([{ is: 'later' }, { is: 'later' }]);
  grafana.answer(undefined);
  expect(await send(output, parcels.slice(1))).toEqual([{ is: 'taken' }]);
  expect(grafana.kept).toMatchObject([{ time: begun, timeEnd: begun + 61_000 }]);
});

test('without a token nothing is sent, and there is a link all the same: with from, to and the run, without a login', async () => {
  const output = open(await startAnnotations('t'));
  expect([heard(output, events), output.closing]).toEqual([[], undefined]);
  const link = dashboardLink({ url: 'https://ann:pw@g.example.com/graf/', uid: 'loadctl' }, { run, from: begun, to: begun + 60_000 });
  expect(link).toBe(`https://g.example.com/graf/d/loadctl?from=${begun - 10_000}&to=${begun + 70_000}&var-testid=r1`);
  expect(dashboardLink({ url: 'https://g.example.com', uid: 'x' }, { run, from: begun })).toContain('&to=now&');
});
