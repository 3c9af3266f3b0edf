import { expect, test } from 'vitest';
import { cloudFailure } from '../../src/k6/cloud/failure.js';
import { cloudOptions } from '../../src/k6/cloud/options.js';
import { cloudEnd, readCloudLog, readCloudOutput } from '../../src/k6/cloud/talk.js';
import { cloudDistribution, cloudLimits, secretsThatLeave, vuHoursOf } from '../../src/plan/cloud.js';
import { checkGuards, needsConfirmation } from '../../src/plan/guards.js';
import { makePlan } from '../../src/plan/plan.js';
import { cloudPlanLines } from '../../src/reporters/sentences/cloud-plan.js';
import { backendFacts } from '../../src/runners/index.js';
import { complaint, load } from './profile-files.js';

const words = `target: {url: "https://shop.example.com", health: /healthz}
workload: {script: k6.ts, vus: 90, duration: 20m, env: {FEATURE: "on", API_KEY: abc}}
runners:
  backend: cloud
  cloud:
    token: glc_secret
    stack: 5
    project: 123
    zones: {"amazon:de:frankfurt": 60%, "amazon:sa:cape town": 40%}
    env: [BASE_URL, API_KEY]
`;
const profile = (more: string, from = words) => ({ 'test.yaml': `${from}${more}` });

async function planOf(more: string, from = words) {
  const loaded = load(profile(more, from));
  return { loaded, plan: makePlan({ ...loaded, backend: await backendFacts(loaded.profile.runners) }) };
}

test('the words of an SLA are thresholds in k6’s words; what k6 has no metric for is not measured', async () => {
  const { plan } = await planOf(`sla:
  p95: < 500ms
  p50: 0.2s
  avg: 100ms
  errors: < 0.1%
  throughput: 600/m
  availability: 99.9%
  checks: rate>=0.99
  "http_req_duration{name:GET /events}": [p(99) < 800ms, "p(95)<500"]
critical: {cpu: < 80%}
`);
  const { thresholds, unmeasured } = cloudLimits(plan.criteria);
  expect(thresholds).toEqual({
    http_req_duration: ['p(95)<500', 'p(50)<200', 'avg<100'],
    http_req_failed: ['rate<0.001'],
    http_reqs: ['rate>=10'],
    checks: ['rate>=0.99'],
    'http_req_duration{name:GET /events}': ['p(99)<800', 'p(95)<500'],
  });
  expect(unmeasured.map(({ name }) => name)).toEqual(['availability', 'cpu']);
});

test('the options keep what the script has, but for who logs in', () => {
  const own = {
    vus: 2,
    userAgent: 'own',
    scenarios: { default: { executor: 'constant-vus', vus: 2 } },
    thresholds: { checks: [{ threshold: 'rate>0.9', abortOnFail: true }] },
    cloud: { name: 'own', note: 'kept', token: 'x', stackID: 1, projectID: 9, distribution: { a: 1 } },
  };
  const added = { thresholds: { checks: ['rate>0.5'] }, projectID: 123, userAgent: 'loadctl/1' };
  const distribution = cloudDistribution({ 'amazon:us:palo alto': 1 });
  expect(cloudOptions(own, { ...added, name: { otherwise: 'file' }, distribution })).toEqual({
    userAgent: 'own',
    scenarios: own.scenarios,
    thresholds: { checks: [{ threshold: 'rate>0.9', abortOnFail: true }, 'rate>0.5'] },
    cloud: {
      name: 'own',
      note: 'kept',
      projectID: 123,
      distribution: { amazon_us_palo_alto: { loadZone: 'amazon:us:palo alto', percent: 100 } },
    },
  });
  expect(cloudOptions({}, { ...added, name: { otherwise: 'file' }, distribution: {} }).cloud).toEqual({ name: 'file', projectID: 123 });
  expect(cloudOptions(own, { ...added, name: { given: 'said', otherwise: 'file' }, distribution: {} }).cloud).toMatchObject({
    name: 'said',
    distribution: { a: 1 },
  });
});

test.each([
  ['        output: https://stack.grafana.net/a/k6-app/runs/9', { tells: 'url', url: 'https://stack.grafana.net/a/k6-app/runs/9' }],
  ['        output: -', undefined],
  ['     test status: Aborted (by user)', { tells: 'status', status: 'Aborted (by user)' }],
  ['Run    [   0% ] Waiting...', undefined],
  ['Run    [   0% ] Queued', { tells: 'state', state: 'Queued' }],
  ['Run    [  31% ] 03.1s/10s', { tells: 'state', state: 'Running' }],
  ['Init   [   0% ] Loading test script...', undefined],
  ['Init   [   0% ] Validating script options', { tells: 'asking' }],
  ['Init   [   0% ] Uploading archive', { tells: 'handing-over' }],
])('k6 prints %s', (line, told) => {
  expect(readCloudOutput(line)).toEqual(told);
});

test.each([
  ['{"level":"error","msg":"Test progress error","error":"(503/x) no"}', { tells: 'no-progress', why: '(503/x) no' }],
  ['{"level":"info","msg":"Stopping cloud test run in response to signal..."}', undefined],
  ['{"level":"error","msg":"Stop cloud test error","error":"(503/x) no"}', { tells: 'not-aborted', why: '(503/x) no' }],
  ['panic: runtime error', { tells: 'error', message: 'panic: runtime error' }],
])('k6 logs %s', (line, told) => {
  expect(readCloudLog(line)).toEqual(told);
});

test.each([
  [0, 'Finished', 'passed'],
  [99, 'Finished', 'thresholds-failed'],
  [99, 'Aborted', 'thresholds-failed'],
  [97, 'Finished', 'failed'],
  [97, 'Aborted', 'aborted'],
  [97, 'Aborted (by user)', 'aborted-by-user'],
  [0, 'Aborted', 'aborted'],
  [98, undefined, 'progress-lost'],
  [255, undefined, 'unknown'],
  [0, undefined, 'unknown'],
])('k6 exit %i with status %s is %s', (exitCode, status, how) => {
  expect(cloudEnd({ exitCode }, status)).toBe(how);
});

test.each([
  ['(401/error) bad token', 'unavailable', 'does not accept the token'],
  ['failed to authenticate with k6 Cloud', 'unavailable', 'does not accept the token'],
  ['starting test: (403/quota) too many VUs', 'unavailable', 'refused the run'],
  ['not allowed to upload result to k6 Cloud', 'unavailable', 'refused the run'],
  ['(429/limit) too many runs', 'unavailable', 'refused the run'],
  ['(400/validation) no such zone', 'invalid-profile', 'does not take the options'],
  ['(404/not_found) no project', 'unavailable', 'does not know'],
  ['unexpected HTTP error from https://api.k6.io/x: 404 Not Found', 'unavailable', 'does not know'],
  ['unexpected HTTP error from https://api.k6.io/x: 429 Too Many Requests', 'unavailable', 'refused the run'],
  ['(503/x) no', 'unavailable', 'could not begin the run in Grafana Cloud (https://api.k6.io)'],
])('no run came about: %s', (said, reason, message) => {
  const error = cloudFailure(said, 'https://api.k6.io');
  expect(error.reason).toBe(reason);
  expect(error.message).toContain(message);
  expect(error.message).toContain(said);
});

test('the token is a secret of the profile, and the plan does not hold it', async () => {
  const { loaded, plan } = await planOf('');
  expect(loaded.secrets).toContain('glc_secret');
  expect(JSON.stringify(plan)).not.toContain('glc_secret');
  expect(plan.hosts).toEqual(['shop.example.com', 'api.k6.io']);
});

test('secrets that leave are confirmed, whatever guards.confirm says', async () => {
  const { loaded, plan } = await planOf('guards: {allow: [shop.example.com, api.k6.io], confirm: false}\n');
  expect(secretsThatLeave(plan)).toEqual(['API_KEY']);
  expect(needsConfirmation(plan, loaded.profile)).toBe(true);
  const [refusal] = checkGuards(plan, loaded.profile, { makesLoad: true, confirmed: false });
  expect(refusal).toMatchObject({ guard: 'confirm', message: expect.stringContaining('gets these secrets: API_KEY') as string });
  const open = await planOf('guards: {confirm: false}\n', words.replace(', API_KEY]', ', FEATURE]'));
  expect(secretsThatLeave(open.plan)).toEqual([]);
  expect(needsConfirmation(open.plan, open.loaded.profile)).toBe(false);
});

test('secrets leave in options and in the URL of the target, too', async () => {
  const secret = words
    .replace('https://shop', 'https://ann:sesame@shop')
    .replace('script: k6.ts,', "script: k6.ts, options: {userAgent: plain, tags: {door: 'https://ann:sesame@door.example.com'}},");
  const { plan } = await planOf('guards: {confirm: false}\n', secret);
  expect(secretsThatLeave(plan)).toEqual(['BASE_URL', 'API_KEY', 'workload.options.tags']);
  const [, , variables, options] = cloudPlanLines(plan, []);
  expect(variables).toContain('BASE_URL (secret), API_KEY (secret)');
  expect(options).toBe("options that leave: the test's own, with the secrets of workload.options.tags");
  const open = await planOf('guards: {confirm: false}\n', secret.replace(', API_KEY]', ']').replace(/options: .*?\}\},/, ''));
  expect(needsConfirmation(open.plan, open.loaded.profile)).toBe(true);
});

test('VU hours are the most VUs times hours, and have a cap', async () => {
  expect(vuHoursOf({ vus: 90, durationMs: 1_200_000 })).toBe(30);
  const refusals = async (most: number) => {
    const { loaded, plan } = await planOf(`guards: {allow: [shop.example.com, api.k6.io], maxVuHours: ${most}}\n`);
    return checkGuards(plan, loaded.profile, { makesLoad: true, confirmed: true }).map(({ message }) => message);
  };
  expect(await refusals(30)).toEqual([]);
  expect(await refusals(29.5)).toEqual(['The load is 30 VU hours; guards.maxVuHours allows 29.5 VU hours.']);
});

test.each([
  ['abort: [{when: errors > 5%}]\n', words, '`abort` does not go with `cloud`'],
  ['guards: production\n', words, '`guards: production` does not go with `cloud`'],
  ['', words.replace('60%', '50%'), '`zones` adds up to 90%, not 100%'],
  ['', words.replace('60%', '59.5%').replace('40%', '40.5%'), 'expected a whole percentage'],
  ['', words.replace('API_KEY]', 'PATH]'), '`PATH` is not a variable of the script'],
  ['', words.replace('API_KEY]', 'K6_VUS]'), '`K6_VUS` is k6’s own variable'],
  ['', words.replace('backend: cloud', 'backend: cloud\n  count: 2'), '`count` does not go with `cloud`'],
  ['', words.slice(0, words.indexOf('  cloud:')), 'needs `runners.cloud`'],
  ['', words.replace('    stack: 5\n', ''), 'stack'],
  ['', words.replace('stack: 5', 'stack: 3000000000'), 'at most 2147483647'],
  ['', words.replace('token: glc_secret', 'token: "glc_secret\\n"'), 'expected a token without spaces and line breaks'],
])('refused in a profile: %s', (more, from, message) => {
  const { reason, message: head, lines } = complaint(() => load(profile(more, from)));
  expect(reason).toBe('invalid-profile');
  expect([head, ...lines].join('\n')).toContain(message);
});
