import { describe, expect, test } from 'vitest';
import { hasCluster } from '../cluster/cluster.js';
import { loadctlImage } from '../cluster/images.js';
import { namespaceForTest } from '../cluster/namespace.js';
import { firstNode, targetForPods } from '../cluster/target.js';
import { workplace } from '../support/loadctl.js';
import { type Manifest, manifestsOf, type Rule, rulesOf } from './support/deployed.js';
import { jobOver } from './support/jobs.js';
import { accountOf, kubeconfigOf } from './support/user.js';

const script = `import http from 'k6/http';
export const options = { vus: 1, iterations: 1 };
export default () => { http.get(__ENV.BASE_URL); };
`;

/** A Role without one of its verbs. */
interface Fewer {
  /** `create jobs` */
  readonly right: string;
  readonly rules: readonly Rule[];
}

/** Each verb of a Role taken out in turn. */
function eachTakenOut(rules: readonly Rule[]): Fewer[] {
  return rules.flatMap((rule) =>
    rule.verbs.map((verb) => ({
      right: `${verb} ${rule.resources.join()}`,
      rules: rules.flatMap((one) => (one === rule ? without(one, verb) : [one])),
    })),
  );
}

/** A rule without verbs is none. */
function without(rule: Rule, verb: string): Rule[] {
  const verbs = rule.verbs.filter((other) => other !== verb);
  return verbs.length === 0 ? [] : [{ ...rule, verbs }];
}

const named = ({ right }: Fewer) => `Grant the right \`${right}\``;
const words = (text: string) => text.replace(/\s+/g, ' ');

describe.skipIf(!hasCluster)('each verb of the Roles of deploy/kustomize, taken out in turn, is missed by its name', () => {
  test('of who runs loadctl', async () => {
    const space = await namespaceForTest();
    const runWithout = async (fewer: Fewer, index: number) => {
      const name = `person-${index}`;
      await space.apply(...accountOf(name, fewer.rules));
      // A pod that starts is not asked for the events that tell why one does not.
      const image = fewer.right === 'list events' ? '127.0.0.1:1/loadctl:none' : loadctlImage;
      const profile = `environment: ${name}
target: {url: "http://${firstNode}:9"}
workload: {script: ../script.js}
runners: {backend: kubernetes, count: 1, kubernetes: {context: test, namespace: ${space.name}, image: "${image}"}}
guards: {allow: [127.0.0.1, ${firstNode}], confirm: false}
`;
      const at = workplace({ [`profiles/${name}.yaml`]: profile, 'script.js': script });
      const said = await at.loadctl(['run', '--env', name], { KUBECONFIG: await kubeconfigOf(space, name, at.folder) });
      return { right: fewer.right, code: said.code, isNamed: words(said.stderr).includes(named(fewer)), said: said.stderr };
    };
    const rows = eachTakenOut(rulesOf('person.yaml'));
    const seen: Awaited<ReturnType<typeof runWithout>>[] = [];
    for (let first = 0; first < rows.length; first += 3)
      seen.push(...(await Promise.all(rows.slice(first, first + 3).map((fewer, index) => runWithout(fewer, first + index)))));
    for (const { right, code, isNamed, said } of seen) expect([right, code, isNamed], said).toEqual([right, 115, true]);
    expect(seen.length).toBe(9);
    const left = async () => (await space.objects()).filter((one) => one.includes('loadctl'));
    await expect.poll(left, { timeout: 45_000, interval: 500 }).toEqual([]);
  });

  test('of the conductor, in the pod of a CronJob', async () => {
    const { url } = await targetForPods();
    const space = await namespaceForTest();
    const rows = eachTakenOut(rulesOf('conductor.yaml'));
    const profiles = rows.map(({ right }, index) => {
      const patch = right === 'list events' ? ', patch: {runner: {hostPID: true}}' : ''; // no pod of it is made
      const text = `environment: row-${index}
target: {url: "${url}"}
workload: {script: ../k6/nightly.js}
runners: {backend: kubernetes, count: 1, readyTimeout: 8s, kubernetes: {image: "${loadctlImage}", resources: {cpu: 0.1, memory: 256Mi}${patch}}}
guards: {allow: [${firstNode}], confirm: false}
`;
      return [`row-${index}.yaml`, text];
    });
    const config = (name: string, data: object) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data });
    await space.apply(config('loadctl-profiles', Object.fromEntries(profiles)), config('loadctl-scripts', { 'nightly.js': script }));
    await space.apply(...rows.flatMap(({ rules }, index) => [...accountOf(`row-${index}`, rules), jobOf(`row-${index}`)]));
    const seen = await Promise.all(rows.map((_, index) => jobOver(space, `row-${index}`)));
    rows.forEach((fewer, index) => {
      const { exitCode, log = '' } = seen[index] ?? {};
      expect([fewer.right, exitCode, words(log).includes(named(fewer))], log).toEqual([fewer.right, 115, true]);
      if (fewer.right === 'list events') expect(log).toContain('is not allowed to see why');
    });
    expect(seen.length).toBe(8);
    expect((await space.objects()).filter((one) => /^(secret|job.batch)\/loadctl-/.test(one))).toEqual([]);
  });
});

/** A Job of the CronJob's template, for an account and an environment of the same name. */
function jobOf(name: string): object {
  const [cronJob] = manifestsOf('cron-job.yaml') as (Manifest & { readonly spec: CronJobSpec })[];
  const { spec } = cronJob?.spec.jobTemplate ?? expect.fail('no CronJob');
  const labels = { ...spec.template.metadata.labels, 'loadctl/environment': name };
  const [container] = spec.template.spec.containers;
  const volumes = spec.template.spec.volumes.map((volume) => (volume.name === 'runs' ? { name: 'runs', emptyDir: {} } : volume));
  const containers = [{ ...container, image: loadctlImage, args: ['run', '--env', name] }];
  const pod = { ...spec.template.spec, serviceAccountName: name, containers, volumes };
  const template = { ...spec.template, metadata: { ...spec.template.metadata, labels }, spec: pod };
  return { apiVersion: 'batch/v1', kind: 'Job', metadata: { name, labels }, spec: { ...spec, template } };
}

interface CronJobSpec {
  readonly jobTemplate: {
    readonly spec: {
      readonly template: {
        readonly metadata: { readonly labels: Readonly<Record<string, string>> };
        readonly spec: { readonly containers: readonly object[]; readonly volumes: readonly { readonly name: string }[] };
      };
    };
  };
}
