import { asRunId } from '../../core/ids.js';
import type { Unit } from '../../core/quantities.js';
import type { RunNumber, RunNumbers } from '../../metrics/compare/numbers.js';
import { misfit, misfitIn, type Shape } from '../../runs/shape.js';

const shapes = {
  run: {
    run: 'text',
    environment: 'text',
    startedAt: 'number',
    workload: 'text?',
    commit: 'text?',
    verdict: 'text',
    circumstances: 'fields',
    numbers: 'list',
    limitsBeside: 'list?',
  },
  number: {
    name: 'text',
    unit: 'text',
    scale: 'text',
    worse: 'text',
    value: 'number',
    low: 'number?',
    high: 'number?',
    within: 'number?',
    of: 'number?',
  },
} as const satisfies Readonly<Record<string, Shape>>;

/** What keeps something that was read from being what a comparison knows of a run; undefined where it is that. */
export function numbersMisfit(read: unknown): string | undefined {
  const wrong = misfit(read, shapes.run);
  if (wrong !== undefined) return wrong;
  const { run, startedAt, verdict, circumstances, numbers, limitsBeside = [] } = read as RunNumbers;
  const texts: readonly (readonly [string, unknown])[] = [
    ...Object.entries(circumstances).map(([name, value]) => [`circumstances.${name}`, value] as const),
    ...limitsBeside.map((value, at) => [`limitsBeside.${at}`, value] as const),
  ];
  const odd = texts.find(([, value]) => typeof value !== 'string');
  if (asRunId(run) === undefined) return 'run is not the id of a run';
  if (Number.isNaN(new Date(startedAt).getTime())) return 'startedAt is not a time';
  if (!['pass', 'fail'].includes(verdict)) return 'verdict is neither pass nor fail';
  if (odd !== undefined) return `${odd[0]} is not a text`;
  return misfitIn(numbers, shapes.number, 'numbers') ?? oddNumber(numbers) ?? twice(numbers);
}

function oddNumber(numbers: readonly RunNumber[]): string | undefined {
  for (const one of numbers) {
    const why = whyOdd(one);
    if (why !== undefined) return `numbers: ${one.name}: ${why}`;
  }
  return undefined;
}

const units: readonly string[] = ['ms', '%', '/s', 'B', ''] satisfies Unit[];
/** What adding up floating-point numbers may be off by. */
const rounding = 1e-9;

function whyOdd({ unit, scale, worse, gated, value, low = value, high = value, of }: RunNumber): string | undefined {
  if (!units.includes(unit)) return 'unit is none';
  if (!['ratio', 'events'].includes(scale)) return 'scale is neither ratio nor events';
  if (!['higher', 'lower'].includes(worse)) return 'worse is neither higher nor lower';
  if (typeof gated !== 'boolean') return 'gated is neither true nor false';
  const slack = rounding * Math.max(Math.abs(low), Math.abs(high));
  if (low > value + slack || value > high + slack) return 'its value is not between its bounds';
  if (scale === 'ratio') return undefined;
  if (value < 0 || value > 1) return 'its value is not a share';
  return of !== undefined && of > 0 ? undefined : 'of is not a count';
}

function twice(numbers: readonly RunNumber[]): string | undefined {
  const names = new Set<string>();
  for (const { name } of numbers) {
    if (names.has(name)) return `numbers: ${name} is there twice`;
    names.add(name);
  }
  return undefined;
}
