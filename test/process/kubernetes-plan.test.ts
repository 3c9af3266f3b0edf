import { expect, test } from 'vitest';
import { workplace } from '../support/loadctl.js';

function place(words: string, load: string, count = 30) {
  const profile = `target: {url: "http://198.18.0.1:9"}
workload: {script: ../script.js, ${load}}
runners: {backend: kubernetes, count: ${count}, kubernetes: {image: "loadctl:1", ${words}}}
`;
  const script = "import http from 'k6/http';\nexport default () => { http.get(__ENV.BASE_URL); };\n";
  return workplace({ 'profiles/prod.yaml': profile, 'script.js': script });
}
const load = 'vus: 30000, duration: 1h, pacing: 1s, endpoints: {home: GET /}, mix: {home: 100%}';

test('a plan says what pods the load takes, what they ask of the cluster, and why', async () => {
  const { stdout } = await place('egress: nat', load).loadctl(['plan', '--env', 'prod']);

  expect(stdout).toContain('pods: 31 (30 runners with 0.2 CPUs and 536.9 MB each, 1 conductor): 6.5 CPUs and 16.6 GB in all');
  expect(stdout).toContain('nodes: 2 of 3.8 CPUs and 14.5 GB to spare would do; CPUs decide');
  expect(stdout).toContain('an address of a NAT gateway has 55,000 ports to the target (egress: nat); 30,000 connections need 1');
  expect(stdout).toContain('connection tracking: 15,000 on the busiest of those nodes, of 131,072 that one usually keeps');
  expect(stdout).toContain('first limit: CPUs: these pods and nodes do for 42,000 VUs');
  expect(stdout).toContain('live data: each runner pushes every 1 s; an abort rule sees a sample 2 s later at most');
});

test('a million VUs in 1,000 pods', async () => {
  const { stdout } = await place('egress: node', load.replace('30000', '1000000'), 1000).loadctl(['plan', '--env', 'prod']);

  for (const line of [
    'pods: 1,001 (1,000 runners with 0.2 CPUs and 536.9 MB each, 1 conductor): 200.5 CPUs and 540.3 GB in all',
    'nodes: 53 of 3.8 CPUs and 14.5 GB to spare would do; CPUs decide',
    'each of 53 nodes has 64,512 ports to the target (egress: node); 1,000,000 connections need 16',
    'connection tracking: 18,868 on the busiest of those nodes',
    'first limit: CPUs: these pods and nodes do for 1,400,000 VUs',
    'live data: each runner pushes every 3.4 s; an abort rule sees a sample 4.4 s later at most',
  ])
    expect(stdout.replace(/\s+/g, ' ')).toContain(line);
});

test('ports that will not do are told, with what would; as data too', async () => {
  const at = place('egress: nat', load.replace('30000', '120000'));

  const { stdout } = await at.loadctl(['plan', '--env', 'prod']);
  expect(stdout).toContain('! 120,000 connections need 3 addresses with 55,000 ports each: give the NAT gateway as many addresses');

  const { pods } = JSON.parse((await at.loadctl(['plan', '--env', 'prod', '--json'])).stdout);
  expect(pods).toMatchObject({ pods: 31, egress: 'nat', ports: 55_000, connections: 120_000, sources: 1, sourcesNeeded: 3 });
});

test('what the profile asks for is what is reckoned with', async () => {
  const words = 'resources: {cpu: 2, memory: 4Gi}, conductor: {cpu: 1, memory: 1Gi}, egress: node';
  const { stdout } = await place(words, load).loadctl(['plan', '--env', 'prod', '--json']);

  expect(JSON.parse(stdout).pods).toMatchObject({
    cpus: 61,
    memoryBytes: 121 * 2 ** 30,
    nodes: 17,
    because: 'CPUs',
    egress: 'node',
    sources: 17,
  });
});
