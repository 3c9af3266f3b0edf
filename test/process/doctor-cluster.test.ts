import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { workplace } from '../support/loadctl.js';

const profile = `
target: {url: "http://shop.test"}
workload: {script: ../k6.js, vus: 10, duration: 1s}
runners: {backend: kubernetes, count: 2, kubernetes: {image: "loadctl:1"}}
guards: {allow: [shop.test], confirm: false}
`;

/** A workplace whose kubeconfig leads to a port of loopback. */
function placeWith(port: number) {
  const at = workplace({ 'profiles/dev.yaml': profile, 'k6.js': 'export default () => {};' });
  at.file(
    'kubeconfig',
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'test',
      clusters: [{ name: 'test', cluster: { server: `https://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true } }],
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
      users: [{ name: 'test', user: { token: 'none' } }],
    }),
  );
  return { at, env: { KUBECONFIG: join(at.folder, 'kubeconfig') } };
}

/** A server that takes connections and says nothing. */
async function silentPort(): Promise<number> {
  const server = createServer(() => {});
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

test('doctor says of an API server that is not there, or that never answers, that it cannot be reached, within 30 s', async () => {
  for (const [port, why] of [
    [1, 'ECONNREFUSED'],
    [await silentPort(), 'no answer within 10 s'],
  ] as const) {
    const { at, env } = placeWith(port);
    const begun = performance.now();
    const { code, stdout, stderr } = await at.loadctl(['doctor', '--env', 'dev', '--json'], env);
    expect(performance.now() - begun).toBeLessThan(30_000);
    expect(stderr).not.toContain('error:');
    expect(code).toBe(115);
    const cluster = JSON.parse(stdout).findings.filter(({ what }: { what: string }) => what === 'cluster');
    expect(cluster).toEqual([
      { what: 'cluster', state: 'missing', said: expect.stringContaining(why), more: expect.stringContaining('kubectl get pods') },
    ]);
  }
}, 90_000);

test('doctor without a kubeconfig says where one was looked for', async () => {
  const at = workplace({ 'profiles/dev.yaml': profile, 'k6.js': 'export default () => {};' });
  const { stdout } = await at.loadctl(['doctor', '--env', 'dev'], { KUBECONFIG: join(at.folder, 'none') });
  expect(stdout.replace(/\s+/g, ' ')).toContain('No kubeconfig');
});
