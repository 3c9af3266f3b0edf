import { expect, test } from 'vitest';
import { complaint, load } from './profile-files.js';

const profile = (words: string) => `target: {url: http://shop.example.com}
workload: {script: k6.ts}
runners:
  backend: kubernetes
  kubernetes:
    image: loadctl:1
    ${words}
`;
const problemsOf = (words: string) => complaint(() => load({ 'test.yaml': profile(words) }));

test.each([
  ['patch: {runner: {containers: []}}', '7:22: `containers` cannot be patched: it would replace the command'],
  ['patch: {conductor: {containers: null}}', '7:25: `containers` cannot be patched: it would replace the command'],
  ['patch: {runner: {volumes: []}}', '7:22: `volumes` cannot be patched'],
  ['patch: {runner: {restartPolicy: Always}}', '7:22: `restartPolicy` cannot be patched'],
  ['patch: {runner: {metadata: {ownerReferences: []}}}', '7:22: `metadata` cannot be patched'],
  ['patch: {conductor: {spec: {}}}', '7:25: `spec` cannot be patched'],
  ['labels: {loadctl/run: "1"}', '7:14: `loadctl/run` is loadctl’s own'],
  ['labels: {app.kubernetes.io/component: x}', '7:14: `app.kubernetes.io/component` is loadctl’s own'],
  ['annotations: {loadctl/by: me}', '7:19: `loadctl/by` is loadctl’s own'],
  ['egress: gateway', '7:13: expected `pod`, `node` or `nat`, not `gateway`'],
])('%s is refused where it stands', (words, expected) => {
  const { reason, lines, message } = problemsOf(words);

  expect(reason).toBe('invalid-profile');
  expect([message, ...(lines ?? [])].join('\n')).toContain(expected);
});

test.each(['prod-', '-prod', 'p'.repeat(64)])(
  'an environment called %s, as no label may be, is refused before the cluster is asked',
  (name) => {
    const text = `environment: ${name}\n${profile('labels: {}')}`;

    const { reason, lines } = complaint(() => load({ 'test.yaml': text }));

    expect(reason).toBe('invalid-profile');
    expect(lines?.[0]).toContain('1:14: with `kubernetes` a label says this: expected at most 63 characters');
    expect(
      load({ 'test.yaml': text.replace('backend: kubernetes', 'backend: local').replace(/ {2}kubernetes:[\s\S]*$/, '') }).profile
        .environment,
    ).toBe(name);
  },
);

test('what pods may be patched with, and labels of other owners', () => {
  const words =
    'patch: {runner: {priorityClassName: load, tolerations: null}, conductor: {hostAliases: []}}\n    labels: {app.kubernetes.io/version: "1"}';

  const { runners } = load({ 'test.yaml': profile(words) }).profile;

  expect(runners.kubernetes?.patch).toEqual({ runner: { priorityClassName: 'load', tolerations: null }, conductor: { hostAliases: [] } });
  expect(runners.kubernetes?.egress).toBe('node');
});
