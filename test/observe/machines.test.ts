import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { expect, onTestFinished, test } from 'vitest';
import { has, startNodeExporter } from '../servers/observed.js';
import { rowOf, watchedPlace } from '../support/watched-run.js';

function procStat() {
  const [, ...times] = (readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? '').split(/\s+/);
  const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0] = times.map(Number);
  return { busy: user + nice + system + irq + softirq, all: user + nice + system + idle + iowait + irq + softirq + steal };
}

function memoryShare(): number {
  const text = readFileSync('/proc/meminfo', 'utf8');
  const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1]);
  return 1 - field('MemAvailable') / field('MemTotal');
}

test('this machine, and its node_exporter where there is one, are what /proc/stat says', async () => {
  const exporter = has('prometheus-node-exporter') ? await startNodeExporter() : undefined;
  const names = exporter === undefined ? ['own'] : ['own', 'exporter'];
  const ways = ['here: true, every: 500ms, timeout: 500ms', `nodeExporter: ["${exporter}"]`];
  const monitors = names.map((name, index) => `${name}: {kind: host, ${ways[index]}}`);
  const limits = names.flatMap((name) => [`${name}.cpu: <= 100%`, `${name}.memory: <= 100%`]);
  const at = await watchedPlace(`monitors: {${monitors.join(', ')}}\ncritical: {${limits.join(', ')}}`, '12s');
  const running = at.start(['run', '--env', 'dev'], at.env);
  await at.event(({ type }) => type === 'fleet-released');
  const before = procStat();
  await at.event(({ type }) => type === 'load-ended');
  const after = procStat();
  const said = await running.said;
  expect(said, said.stdout + said.stderr).toMatchObject({ code: 0 });
  const share = (after.busy - before.busy) / (after.all - before.all);
  for (const name of names) {
    expect(Math.abs((rowOf(at.judged(), `${name}.cpu`).actual ?? 0) - share)).toBeLessThan(0.1);
    expect(Math.abs((rowOf(at.judged(), `${name}.memory`).actual ?? 0) - memoryShare())).toBeLessThan(0.05);
  }
});

/** CPU seconds of this process and of all that it has started and seen end, by the kernel's own accounting. */
function spentHere(): number {
  const stat = readFileSync('/proc/self/stat', 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0) / 100;
}

/** Starts one short-lived process after the other, until the test is over. */
function startMany(): void {
  let isOver = false;
  const next = () => {
    if (isOver) return;
    spawn('/bin/sh', ['-c', 'i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done'], { stdio: 'ignore' }).once('exit', next);
  };
  onTestFinished(() => {
    isOver = true;
  });
  next();
}

test('the processes that listen at the target are watched apart from the machine, those that come and go between two looks among them', async () => {
  const at = await watchedPlace(`monitors: {app: {kind: host, here: [target]}}\ncritical: {cpu: <= 100%, memory: < 85%}`, '10s');
  const running = at.start(['run', '--env', 'dev'], at.env);
  const released = await at.event(({ type }) => type === 'fleet-released');
  startMany();
  const before = spentHere();
  const ended = await at.event(({ type }) => type === 'load-ended');
  const spent = spentHere() - before;
  const said = await running.said;
  expect(said, said.stdout + said.stderr).toMatchObject({ code: 0 });
  const row = rowOf(at.judged(), 'cpu');
  // It is this very process of the test.
  expect(row.monitored?.source).toMatch(/^target at 127\.0\.0\.1:\d+$/);
  const share = spent / ((ended.t - released.t) / 1000) / cpus().length;
  expect(share).toBeGreaterThan(0.02);
  expect(Math.abs((row.actual ?? 0) - share) / share).toBeLessThan(0.25);
});
