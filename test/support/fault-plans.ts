import fc from 'fast-check';

/** What strikes while a fleet makes load; `runner` counts from 1. */
export type FaultKind =
  | 'runner killed'
  | 'runner frozen'
  | 'runner halting'
  | 'runner signalled'
  | 'slow target'
  | 'dead target'
  | 'target switches'
  | 'clock set'
  | 'disk full'
  | 'log flood'
  | 'Ctrl-C'
  | 'Ctrl-C twice'
  | 'stop'
  | 'empty stop'
  | 'loadctl killed'
  | 'loadctl frozen';

/** A fault, and after how many answers of the target it strikes. */
export interface Fault {
  readonly kind: FaultKind;
  readonly runner: number;
  readonly afterAnswers: number;
}

/** A run: its fleet, script and policy, and the faults that strike it. */
export interface FaultPlan {
  readonly runners: number;
  readonly setup: 'none' | 'returns' | 'throws';
  readonly teardown: boolean;
  readonly load: 'time' | 'iterations' | 'two scenarios';
  readonly limit: boolean;
  readonly onLost: 'abort' | 'continue';
  /** Percent. */
  readonly allowedLoss: number;
  readonly clockStepMs: number;
  readonly faults: readonly Fault[];
}

const kinds: readonly FaultKind[] = [
  'runner killed',
  'runner killed',
  'runner frozen',
  'runner halting',
  'runner signalled',
  'slow target',
  'dead target',
  'target switches',
  'clock set',
  'disk full',
  'log flood',
  'Ctrl-C',
  'Ctrl-C twice',
  'stop',
  'empty stop',
  'loadctl killed',
  'loadctl frozen',
];

const fault: fc.Arbitrary<Fault> = fc.record({
  kind: fc.constantFrom(...kinds),
  runner: fc.integer({ min: 1, max: 4 }),
  afterAnswers: fc.integer({ min: 0, max: 200 }),
});

const plan: fc.Arbitrary<FaultPlan> = fc.record({
  runners: fc.integer({ min: 1, max: 4 }),
  setup: fc.constantFrom('none', 'none', 'returns', 'returns', 'returns', 'returns', 'returns', 'throws'),
  teardown: fc.boolean(),
  load: fc.constantFrom('time', 'iterations', 'two scenarios'),
  limit: fc.boolean(),
  onLost: fc.constantFrom('abort', 'continue'),
  allowedLoss: fc.constantFrom(0, 40, 80),
  clockStepMs: fc.constantFrom(-3_600_000, 120_000),
  faults: fc.array(fault, { maxLength: 3 }),
});

/** The plan of a seed: the same one every time. */
export function faultPlan(seed: number): FaultPlan {
  const [made] = fc.sample(fc.noBias(plan), { seed, numRuns: 1 });
  if (made === undefined) throw new Error(`no plan for seed ${seed}`);
  return { ...made, faults: made.faults.map((one) => ({ ...one, runner: ((one.runner - 1) % made.runners) + 1 })) };
}
