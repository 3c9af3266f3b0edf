import { expect, test } from 'vitest';
import { workplace } from '../support/loadctl.js';

const script =
  "import http from 'k6/http';\nexport const options = { vus: 1, iterations: 1 };\nexport default () => { http.get(__ENV.BASE_URL); };\n";

/** A profile whose fleet is pods of a cluster that nobody has; `words` are more of `runners.kubernetes`. */
function place(words = '', allow = '198.18.0.1', more = '') {
  const profile = `target: {url: "http://198.18.0.1:9"}
workload: {script: ../script.js}
runners:
  backend: kubernetes
  kubernetes:
    image: localhost/loadctl:none
    ${words}
guards: {allow: [${allow}], confirm: false}
${more}`;
  return workplace({ 'profiles/dev.yaml': profile, 'script.js': script, kubeconfig });
}

const kubeconfig = JSON.stringify({
  apiVersion: 'v1',
  kind: 'Config',
  'current-context': 'here',
  clusters: [{ name: 'here', cluster: { server: 'http://127.0.0.1:1' } }],
  users: [{ name: 'me', user: {} }],
  contexts: [{ name: 'here', context: { cluster: 'here', user: 'me' } }],
});

test('without a kubeconfig: where one was looked for, and how to name one', async () => {
  const at = place();

  const said = await at.loadctl(['run', '--env', 'dev'], { KUBECONFIG: `${at.folder}/nowhere` });

  expect(said).toMatchObject({ code: 115, stdout: '' });
  expect(said.stderr).toContain(`No kubeconfig: ${at.folder}/nowhere is not there.`);
  expect(said.stderr).toContain('KUBECONFIG');
});

test('a context that the kubeconfig does not have: those that it has', async () => {
  const at = place('context: prod');

  const said = await at.loadctl(['run', '--env', 'dev'], { KUBECONFIG: `${at.folder}/kubeconfig` });

  expect(said).toMatchObject({ code: 115, stdout: '' });
  expect(said.stderr).toContain('The kubeconfig has no context `prod`.');
  expect(said.stderr).toContain('Set runners.kubernetes.context to one of: here');
});

test('an API server that guards.allow does not name, even on loopback', async () => {
  const at = place();

  const said = await at.loadctl(['run', '--env', 'dev'], { KUBECONFIG: `${at.folder}/kubeconfig` });

  expect(said).toMatchObject({ code: 112, stdout: '' });
  expect(said.stderr).toContain('127.0.0.1, the API server, is not on the profile');
  expect(said.stderr).toContain('guards.allow: [127.0.0.1]');
});

test('an API server that does not answer', async () => {
  const at = place('', '198.18.0.1, 127.0.0.1');

  const said = await at.loadctl(['run', '--env', 'dev'], { KUBECONFIG: `${at.folder}/kubeconfig` });

  expect(said).toMatchObject({ code: 115, stdout: '' });
  expect(said.stderr).toContain('The API server http://127.0.0.1:1 cannot be reached');
  expect(said.stderr).toContain('kubectl get pods');
});

const data = `stores: {db: {kind: postgres, url: "postgres://app@198.18.0.1:9/shop"}}
seed: {users: {table: db.users, rows: 1, columns: {id: "user-{n}"}}}
cleanup: {prefix: load-test-user-, rows: [{table: db.orders, column: user_id}]}
`;
const words = { here: 'phases: here', cluster: 'phases: cluster' };

test.each([
  ['run --detach', 'here', 112, 'this loadctl holds the lock', 'Set runners.kubernetes.phases: cluster, or leave --detach out.'],
  ['seed --detach', 'here', 112, 'this loadctl holds the lock', 'Set runners.kubernetes.phases: cluster, or leave --detach out.'],
  ['cleanup --detach', 'here', 112, 'this loadctl holds the lock', 'Set runners.kubernetes.phases: cluster, or leave --detach out.'],
  ['test', 'here', 115, 'needs its conductor to reach the databases', 'Set runners.kubernetes.phases: cluster, or type them one by one'],
  ['seed --reset --detach', 'cluster', 112, 'with --detach there is no terminal', 'Leave --detach out.'],
  ['seed --detach --set runners.backend=local', 'cluster', 2, '--detach goes with runners.backend: kubernetes', 'Leave --detach out.'],
  // Its databases are nobody's concern here: the conductor's cluster is.
  ['seed', 'cluster', 115, 'The API server http://127.0.0.1:1 cannot be reached', 'kubectl get pods'],
] as const)('%s, with phases: %s, is %i', async (call, phases, code, message, hint) => {
  const at = place(words[phases], '198.18.0.1, 127.0.0.1', data);
  const [command = '', ...others] = call.split(' ');

  const said = await at.loadctl([command, '--env', 'dev', ...others], { KUBECONFIG: `${at.folder}/kubeconfig` });

  expect(said).toMatchObject({ code, stdout: '' });
  expect(said.stderr).toContain(message);
  expect(said.stderr).toContain(hint);
});
