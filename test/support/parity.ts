import { endlessScript, oneMinute } from './ssh-profile.js';

const script = (body: string) => `import http from 'k6/http';\nimport exec from 'k6/execution';\n${body}`;
const work = `http.get(__ENV.BASE_URL + '/work');`;

/** A run that has to come out the same, wherever its runners are. */
export interface Scenario {
  readonly title: string;
  readonly script: string;
  readonly workload?: string;
  readonly sla?: string;
  /** What is done once there is load: to the k6 of runner 2, or to loadctl. */
  readonly strike?: 'kill' | 'freeze' | 'interrupt';
  readonly code: number;
  readonly verdict: string | undefined;
  /** How many iterations all runners made together, where that does not depend on time. */
  readonly iterations?: number;
}

/** What two runners are put through on every backend. */
export const scenarios: readonly Scenario[] = [
  {
    title: 'it passes',
    script: script(`export const options = { vus: 4, iterations: 40 };\nexport default () => { ${work} };`),
    sla: '{errors: < 1%}',
    code: 0,
    verdict: 'pass',
    iterations: 40,
  },
  {
    title: 'a threshold fails',
    script: script(
      `export const options = { vus: 4, iterations: 40, thresholds: { http_reqs: ['count>1000'] } };\nexport default () => { ${work} };`,
    ),
    code: 99,
    verdict: 'fail',
    iterations: 40,
  },
  {
    title: 'setup throws',
    script: script(`export function setup() { throw new Error('boom'); }\nexport default () => { ${work} };`),
    code: 107,
    verdict: 'invalid',
    iterations: 0,
  },
  {
    title: 'test.abort()',
    script: script(
      `export const options = { vus: 4, duration: '60s' };\nexport default () => { ${work} if (exec.vu.iterationInInstance > 5) exec.test.abort('enough'); };`,
    ),
    code: 108,
    verdict: 'interrupted',
  },
  { title: 'a runner is killed', script: endlessScript, workload: oneMinute, strike: 'kill', code: 111, verdict: 'invalid' },
  { title: 'a runner is frozen', script: endlessScript, workload: oneMinute, strike: 'freeze', code: 111, verdict: 'invalid' },
  { title: 'Ctrl-C', script: endlessScript, workload: oneMinute, strike: 'interrupt', code: 105, verdict: 'interrupted' },
];

/** The signal of a strike at a runner. */
export const strikes = { kill: 'SIGKILL', freeze: 'SIGSTOP' } as const;
