import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import { expect, test } from 'vitest';
import type { Verdict } from '../../src/core/verdict.js';
import { fleetPlace, type KeptEvent } from '../support/fleet-place.js';
import { type Sent, type Sink, startSink } from '../support/sink.js';
import { startTarget } from '../support/target.js';

/*
 * Slack, Teams and PagerDuty are servers of this test that answer as theirs are published to: `ok`, 202 without a body, 202 with
 * `{"status":"success"}`. What is sent is real; that the real ones take it is not shown here.
 */

const secret = `whsec_${Buffer.from('of the receiver').toString('base64')}`;

interface Channels {
  readonly hook: Sink;
  readonly slack: Sink;
  readonly teams: Sink;
  readonly pager: Sink;
}

async function channels(): Promise<Channels> {
  const [hook, slack, teams, pager] = await Promise.all([startSink(), startSink(), startSink(), startSink()]);
  teams.answer({ status: 202 });
  pager.answer({ status: 202, body: '{"status":"success","message":"Event processed"}' });
  return { hook, slack, teams, pager };
}

const outputs = ({ hook, slack, teams, pager }: Channels) => `outputs:
  hook: {kind: webhook, url: "${hook.url}/in/secret-path-of-hook", secret: ${secret}}
  slack: {kind: slack, webhook: "${slack.url}/services/T0/B0/secret-of-slack"}
  teams: {kind: teams, webhook: "${teams.url}/workflows/1?sig=secret-of-teams"}
  pager: {kind: pagerduty, routingKey: secret-routing-key, url: "${pager.url}/v2/enqueue"}`;

const typesAt = ({ taken }: Sink) => taken.map(({ body }: Sent) => JSON.parse(body).type as string);

/** A place with a small load, its service, and these lines of a profile. */
async function placeWith(profile: string, duration: string) {
  const target = await startTarget();
  const health = `url: "${target.url}", health: /healthz`;
  const at = fleetPlace(target, { target: health, workload: `vus: 2, duration: ${duration}`, runners: 'count: 1', profile });
  const told = (type: string) => at.events().filter((event) => event.type === type) as (KeptEvent & Record<string, unknown>)[];
  return { ...at, target, told };
}

test('a service away for 3 s: the breach and its end are told once each, to everybody, within 5 s', async () => {
  const to = await channels();
  const { hook, slack, teams, pager } = to;
  const at = await placeWith(`sla: {availability: 50%}\n${outputs(to)}`, '32s');
  const running = at.start(['run', '--env', 'dev'], at.env);
  await at.event(({ type }) => type === 'health-probed');
  at.target.statuses.set('/healthz', 503);
  const failing = (event: KeptEvent & { readonly good?: boolean }) => event.type === 'health-probed' && event.good === false;
  await expect.poll(() => at.events().filter(failing).length, { timeout: 10_000, interval: 20 }).toBe(3);
  at.target.statuses.delete('/healthz');
  const all = [hook, slack, teams, pager];
  await expect.poll(() => all.map(({ taken }) => taken.length), { timeout: 5000, interval: 20 }).toEqual([1, 1, 1, 1]);
  await at.event(({ type }) => type === 'limit-recovered');
  await expect.poll(() => all.map(({ taken }) => taken.length), { timeout: 5000, interval: 20 }).toEqual([2, 2, 2, 2]);
  const said = await running.said;

  expect(said, said.stderr).toMatchObject({ code: 0 });
  expect(typesAt(hook)).toEqual(['run.breach', 'run.recovered', 'run.passed']);
  expect([slack.taken.length, teams.taken.length]).toEqual([3, 3]);
  for (const { body, headers } of hook.taken) {
    const given = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
    expect(new Webhook(secret).verify(body, given)).toMatchObject({ data: { environment: 'dev' } });
  }
  const incidents = pager.taken.map(({ body }) => JSON.parse(body) as { routing_key: string; event_action: string; dedup_key: string });
  expect(incidents.map(({ routing_key: key, event_action: action }) => [key, action])).toEqual([
    ['secret-routing-key', 'trigger'],
    ['secret-routing-key', 'resolve'],
    ['secret-routing-key', 'resolve'],
  ]);
  expect(incidents[1]?.dedup_key).toBe(incidents[0]?.dedup_key);
  const probes = at.told('health-probed');
  const good = probes.filter(({ good }) => good === true).length;
  const availability = (at.verdict() as unknown as Verdict).criteria.find(({ name }) => name === 'availability');
  expect(availability).toMatchObject({ outcome: 'pass' });
  // One probe may be under way when the load ends.
  expect(Math.abs((availability?.actual ?? 0) - good / probes.length)).toBeLessThan(1.5 / probes.length);
  for (const word of ['secret-path-of-hook', 'secret-of-slack', 'secret-of-teams', 'secret-routing-key', secret]) {
    expect(said.stdout + said.stderr).not.toContain(word);
    for (const file of filesOf(at.latestRun())) expect(readFileSync(file, 'utf8'), file).not.toContain(word);
  }
});

function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

test('sinks that are dead, hang or answer 500: the run is what it is, and what they missed is sent later', async () => {
  const to = await channels();
  await to.hook.stop();
  to.slack.answer({ status: 500, body: 'server_error' });
  to.teams.answer('hang');
  to.pager.answer({ status: 429, headers: { 'retry-after': '60' } });
  const told = outputs(to).replaceAll('}\n', ', on: [started, passed]}\n').replace(/\}$/, ', on: [failed, passed]}');
  const at = await placeWith(`sla: {p95: < 5s}\n${told}`, '8s');
  const begun = performance.now();
  const said = await at.loadctl(['run', '--env', 'dev'], at.env);
  expect(said, said.stderr).toMatchObject({ code: 0 });
  const ended = at.told('load-ended')[0];
  const finished = at.told('command-finished')[0];
  expect((finished?.t ?? 0) - (ended?.t ?? 0)).toBeLessThan(14_000);
  expect(performance.now() - begun).toBeLessThan(40_000);
  const warned = at.told('warned').filter(({ code }) => code?.startsWith('output-'));
  expect(warned.filter(({ code, output }) => code === 'output-behind' && output === 'hook')).toHaveLength(1);
  expect(warned.filter(({ code, output }) => code === 'output-incomplete' && output === 'hook')).toMatchObject([
    { kept: 2, lost: 0, unit: 'message' },
  ]);
  expect(said.stderr).toContain('loadctl resend ');

  for (const sink of [to.slack, to.teams, to.pager]) sink.answer({ status: 200 });
  const sending = at.start(['resend', '--json'], at.env);
  await expect.poll(() => to.slack.taken.length, { timeout: 30_000, interval: 20 }).toBe(2);
  // The first one still waits for the hook.
  const beside = await at.loadctl(['resend'], at.env);
  expect(beside).toMatchObject({ code: 115, stderr: expect.stringContaining('Another loadctl sends what run') });
  const hook = await startSink(to.hook.port);
  const resent = await sending.said;
  expect(resent, resent.stderr).toMatchObject({ code: 0 });
  expect(typesAt(hook)).toEqual(['run.started', 'run.passed']);
  expect(to.slack.taken.map(({ body }) => JSON.parse(body).text)).toEqual([
    expect.stringContaining('has started'),
    expect.stringContaining('passed'),
  ]);
  expect(to.pager.taken).toHaveLength(1);
  expect(readdirSync(join(at.latestRun(), 'outputs'))).toEqual([]);
  const again = await at.loadctl(['resend'], at.env);
  expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('left nothing to send') });
});
