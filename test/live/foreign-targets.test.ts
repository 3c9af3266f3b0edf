import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startGreeter } from '../servers/grpc-greeter.js';
import { startWebSite } from '../servers/web-site.js';
import { workplace } from '../support/loadctl.js';

const idle = 'export default () => {};\n';

function withTarget(target: string, script = idle, more = '') {
  return workplace({
    'profiles/dev.yaml': `target: ${target}\nworkload: {script: ../script.js}\nrunners: {count: 2}\n${more}`,
    'script.js': script,
  });
}

describe('the look at a target', () => {
  test('without health takes any answer for one, and says which', async () => {
    const site = await startWebSite();
    const { code, stderr } = await withTarget(`{url: "${site.url}/status/404"}`).loadctl(['run', '--env', 'dev']);
    expect([code, stderr]).toEqual([0, expect.stringMatching(/is up: answered 404\b/)]);
    expect(stderr).not.toContain('healthy');
  });

  test.each([
    ['without health', '', 'answers, but not in HTTP/1.1'],
    ['by a connection', ', health: "tcp:"', 'accepts connections'],
  ])('that speaks HTTP/2 without TLS only, %s, does not say that it is down', async (_, health, says) => {
    const { address } = await startGreeter();
    const { code, stderr } = await withTarget(`{url: "http://${address}"${health}}`).loadctl(['run', '--env', 'dev']);
    expect([code, stderr]).toEqual([0, expect.stringContaining(says)]);
  });

  test('by a connection fits what speaks no HTTP at all, and is judged as availability', async () => {
    const server = createServer((socket) => socket.on('error', () => socket.destroy())).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const at = server.address();
    const port = typeof at === 'object' && at !== null ? at.port : 0;
    const script = "export const options = { vus: 1, duration: '3s' };\nimport { sleep } from 'k6';\nexport default () => sleep(0.1);\n";
    const place = withTarget(`{url: "http://127.0.0.1:9", health: "tcp://127.0.0.1:${port}"}`, script, 'sla: {availability: 100%}\n');
    const said = await place.loadctl(['run', '--env', 'dev']);
    expect([said.code, said.stdout]).toEqual([0, expect.stringMatching(/^ *availability .*100% .*✔/m)]);
  });

  test('that nobody listens at is not up', async () => {
    const said = await withTarget('{url: "http://127.0.0.1:9", health: "tcp:"}').loadctl(['run', '--env', 'dev']);
    expect([said.code, said.stderr]).toEqual([115, expect.stringContaining('The target is not healthy: tcp://127.0.0.1:9: ')]);
  });
});

describe('what a script and the shell say', () => {
  test('a console.warn is not ascribed to k6, and one line says where the logs are', async () => {
    const site = await startWebSite();
    const script = "export const options = { iterations: 3 };\nexport default () => console.warn('careful');\n";
    const { code, stdout, stderr } = await withTarget(`{url: "${site.url}"}`, script).loadctl(['run', '--env', 'dev']);
    expect(code).toBe(0);
    expect(stdout + stderr).not.toContain('k6 said');
    expect((stdout + stderr).match(/\.loadctl\/runs\/\S+\/runners\/\S*log\b/g)).toHaveLength(1);
  });

  test('variables of k6 that are no options are named with workload.env', async () => {
    const site = await startWebSite();
    const place = withTarget(`{url: "${site.url}"}`);
    const shell = { K6_BROWSER_ARGS: 'no-sandbox', K6_SECRET_SOURCE: 'mock=a=1' };
    const only = await place.loadctl(['run', '--env', 'dev'], shell);
    expect(only.stderr).toContain('Ignored from the environment: K6_BROWSER_ARGS, K6_SECRET_SOURCE.');
    expect(only.stderr).toContain('workload.env');
    expect(only.stderr).not.toContain('workload.options');
    const both = await place.loadctl(['run', '--env', 'dev'], { ...shell, K6_VUS: '9' });
    expect(both.stderr).toMatch(/workload\.options.*workload\.env|workload\.env.*workload\.options/);
  });
});

test('a script is found, and finds what it names, in a folder whose name URLs write otherwise', async () => {
  const site = await startWebSite();
  const script = `import { visit } from './lib #1.js';
const path = open('./its data.txt').trim();
export const options = { vus: 2, iterations: 4 };
export default () => visit(__ENV.BASE_URL + path);
`;
  const place = workplace({
    'profiles/dev.yaml': `target: {url: "${site.url}"}\nworkload: {script: "../load %41 ü#x/a test.js"}\nrunners: {count: 2}\n`,
    'load %41 ü#x/a test.js': script,
    'load %41 ü#x/lib #1.js': "import http from 'k6/http';\nexport const visit = (url) => http.get(url);\n",
    'load %41 ü#x/its data.txt': '/work\n',
  });
  const said = await place.loadctl(['run', '--env', 'dev']);
  expect([said.code, site.hits.get('GET /work')], said.stderr).toEqual([0, 4]);
});

describe('an archive as script', () => {
  test('that k6 did not make is one clear 104', async () => {
    const place = withTarget('{url: "http://127.0.0.1:9"}');
    execFileSync('tar', ['-cf', 'other.tar', 'script.js'], { cwd: place.folder });
    const said = await place.loadctl(['run', '--env', 'dev', '--set', `workload.script=${join(place.folder, 'other.tar')}`]);
    expect([said.code, said.stderr]).toEqual([104, expect.stringContaining('other.tar')]);
    expect(said.stderr).not.toMatch(/ILLEGAL|more errors/);
  });

  test('takes what the profile lays over its options', async () => {
    const site = await startWebSite();
    const script = `import http from 'k6/http';
export const options = { vus: 1, iterations: 4 };
export default () => { http.get(__ENV.BASE_URL + '/work?for=' + __ENV.WHOM); };
`;
    const place = withTarget(`{url: "${site.url}"}`, script);
    execFileSync(process.env.LOADCTL_K6 ?? 'k6', ['archive', '-O', 'test.tar', 'script.js'], { cwd: place.folder, stdio: 'ignore' });
    const words = ['--set', 'workload.script=test.tar', '--set', 'workload.options={"iterations": 6}', '-e', 'WHOM=ann'];
    expect((await place.loadctl(['run', '--env', 'dev', ...words])).code).toBe(0);
    expect(site.hits.get('GET /work')).toBe(6);
  });
});
