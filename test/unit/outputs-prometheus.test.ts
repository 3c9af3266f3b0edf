import { describe, expect, test } from 'vitest';
import { openOutput } from '../../src/outputs/index.js';
import { prometheusServer } from '../../src/outputs/prometheus/server.js';
import type { PlannedOutput } from '../../src/plan/outputs.js';
import { openWorld } from '../../src/world.js';
import { startSink } from '../support/sink.js';

const signal = new AbortController().signal;
const parcel = (what: string) => ({ id: `r-1-${what}`, second: 1, body: Buffer.from('').toString('base64') });
const outputAt = (url: string, more: Partial<PlannedOutput> = {}) =>
  ({ name: 'p', kind: 'prometheus', url, histograms: 'native', every: 5000, ...more }) as Extract<PlannedOutput, { kind: 'prometheus' }>;

describe('a receiver', () => {
  test('that had a request already says 400 to it: nothing is lost', async () => {
    const sink = await startSink();
    const { send } = prometheusServer(outputAt(sink.url), 'l');
    sink.answer('cut');
    expect((await send(parcel('floats'), signal)).is).toBe('unknown');
    sink.answer({ status: 400, body: 'out of order sample' });
    expect(await send(parcel('floats'), signal)).toEqual({ is: 'taken' });
    expect((await send(parcel('others'), signal)).is).toBe('refused');
  });

  test('that answers 500 to histograms alone has them not enabled; one that answers so to all is ill', async () => {
    const sink = await startSink();
    const server = prometheusServer(outputAt(sink.url), 'l');
    sink.answer({ status: 500 });
    for (let turn = 0; turn < 5; turn += 1) expect((await server.send(parcel('histograms'), signal)).is).toBe('later');
    sink.answer({ status: 204 });
    await server.send(parcel('floats'), signal);
    sink.answer({ status: 500 });
    const answers = [];
    for (let turn = 0; turn < 3; turn += 1) answers.push((await server.send(parcel('histograms'), signal)).is);
    expect(answers).toEqual(['later', 'later', 'refused']);
    expect(server.takesHistograms()).toBe(false);
  });

  /* As Mimir does where they are off, and VictoriaMetrics before 1.143: a server that answers so. */
  test('that drops histograms without a word is found out, where it may be asked', async () => {
    const sink = await startSink();
    const answers = (count: string) => JSON.stringify({ data: { result: [{ value: [1, count] }] } });
    const { missing } = prometheusServer(outputAt(sink.url, { query: sink.url }), 'l');
    sink.answer({ status: 200, body: answers('7') });
    expect(await missing('r', { at: 1000, signal })).toBeUndefined();
    sink.answer({ status: 200, body: '{"data":{"result":[]}}' });
    expect(await missing('r', { at: 1000, signal })).toContain('nothing of the run');
    expect(await prometheusServer(outputAt(sink.url), 'l').missing('r', { at: 1000, signal })).toBeUndefined();
  });
});

test('nothing is written before a run is open, and nothing at its end without numbers but what is known of it', () => {
  const output = openOutput(outputAt('http://127.0.0.1:1'), { label: 'l', environment: 'e', clock: openWorld().clock });
  expect(output.closing?.()).toEqual([]);
});
