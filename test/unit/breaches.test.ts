import { expect, test } from 'vitest';
import type { Criterion } from '../../src/core/criterion.js';
import { breachWatch, type LimitNow } from '../../src/metrics/breaches.js';

const limit: Criterion = {
  name: 'cpu',
  source: 'server',
  metric: 'cpu',
  stat: 'avg',
  operator: '<',
  limit: 0.8,
  unit: '%',
  window: 'steady',
};
const at = (value: number): LimitNow => ({ limit, outcome: value < 0.8 ? 'pass' : 'fail', actual: { value, low: value, high: value } });

const lasting = (value: number): LimitNow => ({ ...at(value), limit: lastingLimit });
const lastingLimit: Criterion = { ...limit, for: 30_000 };

/** What is told of a value each second, as `second: what`. */
function told(values: readonly (number | LimitNow)[]): string[] {
  const watch = breachWatch();
  const news = values.flatMap((value, second) =>
    watch.look([typeof value === 'number' ? at(value) : value], second * 1000).map(({ is }) => `${second}: ${is}`),
  );
  return [...news, ...watch.close(values.length * 1000).map(({ is, forMs }) => `end: ${is} ${forMs / 1000}`)];
}

const for_ = (seconds: number, value: number) => Array<number>(seconds).fill(value);

test('a breach is told once after 10 s, and its end once it held for 10 s', () => {
  expect(told([...for_(5, 0.1), ...for_(20, 0.9), ...for_(20, 0.1)])).toEqual(['15: breached', '34: recovered']);
});

test('a blip is no news, and a short break of a breach is none either', () => {
  expect(told([...for_(9, 0.9), ...for_(20, 0.1)])).toEqual([]);
  expect(told([...for_(20, 0.9), ...for_(4, 0.1), ...for_(10, 0.9), ...for_(12, 0.1)])).toEqual(['10: breached', '43: recovered']);
});

test('what is open when the run ends is closed, and what nobody knows changes nothing', () => {
  expect(told([...for_(12, 0.9), { limit }, { limit }])).toEqual(['10: breached', 'end: over 14']);
});

test('missed health probes are told at once', () => {
  const missed: LimitNow = { ...at(0.9), atOnce: true };
  expect(told([0.1, missed, ...for_(12, 0.1)])).toEqual(['1: breached', '11: recovered']);
});

test('a limit that must be broken for longer to count is told after that, and anew after every break', () => {
  const values = [...for_(25, 0.9), ...for_(2, 0.1), ...for_(29, 0.9), 0.1, ...for_(35, 0.9), ...for_(12, 0.1)];
  expect(told(values.map(lasting))).toEqual(['87: breached', '101: recovered']);
});
