import { expect, test } from 'vitest';
import { checkGuards } from '../../src/plan/guards.js';
import { makePlan } from '../../src/plan/plan.js';
import { backendFacts, backendNamed } from '../../src/runners/index.js';
import { load } from './profile-files.js';

const loaded = load({
  'test.yaml': `target: {url: http://localhost}
workload: {script: k6.ts}
runners: {backend: ssh, hosts: [ann@load-1:2222, "[2001:db8::1]:22", load-1]}
`,
});
const { runners } = loaded.profile;

test.each([
  ['one runner of this machine', 'local', 1, 200],
  ['as many as get by with that', 'local', 20, 200],
  ['more: 100 pushes a second in all', 'local', 50, 500],
  ['once a second at least', 'local', 1000, 1000],
  ['hosts behind a tunnel', 'ssh', 2, 1000],
  ['as many pods as push 300 times a second in all', 'kubernetes', 300, 1000],
  ['more of them: no more pushes', 'kubernetes', 1000, 3400],
])('%s: how often runners push', async (_, name, runners, ms) => {
  expect((await backendNamed(name)).pushEveryMs(runners)).toBe(ms);
});

test('the hosts of a plan are those that the backend names, without user and port', async () => {
  const backend = await backendFacts(runners);
  const plan = makePlan({ ...loaded, backend });
  expect(plan.hosts).toEqual(['localhost', 'load-1', '2001:db8::1']);
  expect(checkGuards(plan, loaded.profile, { makesLoad: true, confirmed: true })[0]?.message).toContain('load-1');
});

test('hosts are nobody’s where the backend has no use for them', async () => {
  expect(await backendFacts({ ...runners, backend: 'local' })).toEqual({ isBuilt: true, isHere: true, hosts: [] });
});

test('Grafana Cloud makes no fleet, and its API is a host to allow', async () => {
  const cloud = { token: 'a', stack: 1, project: 2, zones: {}, env: [], awayTimeout: 1 };
  const inCloud = { ...runners, backend: 'cloud' as const, cloud };
  expect(await backendFacts(inCloud)).toEqual({ isBuilt: true, isHere: false, hosts: ['api.k6.io'] });
  const proxied = { ...inCloud, cloud: { ...cloud, host: 'https://proxy.example.com:8443' } };
  expect(await backendFacts(proxied)).toMatchObject({ hosts: ['proxy.example.com:8443'] });
  await expect(backendNamed('cloud')).rejects.toThrow('The cloud backend is not implemented yet.');
});
