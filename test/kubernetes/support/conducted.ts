import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { kubeconfig, kubectl, type Node } from '../../cluster/cluster.js';
import { eventually } from '../../cluster/eventually.js';
import { loadctlImage } from '../../cluster/images.js';
import { makeNamespace, type Namespace } from '../../cluster/namespace.js';
import { firstNode, targetForPods } from '../../cluster/target.js';
import { type Said, type Workplace, workplace } from '../../support/loadctl.js';
import type { Target } from '../../support/target.js';
import { rulesOf } from './deployed.js';
import { accountOf } from './user.js';

const account = 'loadctl-conductor';
/** With the Role of deploy/, and no other. */
const conductorAccount: readonly object[] = accountOf(account, rulesOf('conductor.yaml'));

/** Words of a profile whose fleet is pods. */
export interface PodsTest {
  readonly script: string;
  /** Words of the profile's `workload` besides its script. */
  readonly workload?: string;
  readonly count?: number;
  /** Words of `runners`, and of `runners.kubernetes`, besides. */
  readonly runners?: string;
  readonly kubernetes?: string;
  /** What each pod asks for, instead of little. */
  readonly resources?: string;
  /** Further lines of the profile. */
  readonly profile?: string;
  readonly target?: Target;
  /** The conductor is asked to end as soon as the tests of the file are over, and does not stay for who may still copy. */
  readonly hastens?: true;
  /** What is in the namespace before. */
  readonly objects?: readonly object[];
}

/** A folder whose profile has a fleet of pods, in a namespace of the test's own. */
export interface PodsPlace extends Workplace {
  readonly space: Namespace;
  readonly target: Target;
  /** Another folder with the same profile. */
  elsewhere(): Pick<PodsPlace, keyof Workplace | 'json'>;
  /** A file of the newest run. */
  json<T>(name: string): T | undefined;
}

const ends: (() => Promise<void>)[] = [];

/** A conductor stays for half a minute after its directory was collected: all namespaces of a file are looked at when its tests are over. */
afterAll(async () => {
  for (const end of ends) await end();
}, 150_000);

async function spaceOf(objects: readonly object[], hastens: boolean): Promise<Namespace> {
  const removals: (() => Promise<void>)[] = [];
  const space = await makeNamespace('restricted', [...conductorAccount, ...objects], (remove) => removals.push(remove));
  ends.push(async () => {
    const conductors = (await space.objects().catch(() => [])).filter((one) => /^job.batch\/loadctl-\d{8}/.test(one));
    // Its first process is the conductor's: a signal ends its waiting.
    if (hastens) for (const one of conductors) await space.kubectl(['exec', one, '--', 'kill', '1']).catch(() => undefined);
    await eventually(45, `the conductors of ${space.name} have ended`, async () => {
      const objects = await space.objects().catch(() => undefined); // a busy API server
      return objects?.some((one) => /^pod\/loadctl-\d{8}/.test(one)) === false ? true : undefined;
    });
    await space.expectAsBefore();
    for (const remove of removals) await remove();
  });
  return space;
}

/** Makes a {@link PodsPlace}. After all tests of the file its namespace has to be as it was. */
export async function podsPlace({ script, workload, count = 3, ...test }: PodsTest): Promise<PodsPlace> {
  const space = await spaceOf(test.objects ?? [], test.hastens === true);
  const target = test.target ?? (await targetForPods());
  const profile = `
target: {url: "${target.url}"}
workload: {script: ../script.js${workload === undefined ? '' : `, ${workload}`}}
runners:
  backend: kubernetes
  count: ${count}
  kubernetes:
    context: test
    namespace: ${space.name}
    image: "${loadctlImage}"
    serviceAccount: ${account}
    resources: ${test.resources ?? '{cpu: 0.1, memory: 256Mi}'}
    ${test.kubernetes ?? ''}
  ${test.runners ?? ''}
guards: {allow: [127.0.0.1, ${firstNode}], confirm: false}
${test.profile ?? ''}
`;
  const elsewhere = () => placeWith({ 'profiles/dev.yaml': profile, 'script.js': script });
  return { ...elsewhere(), space, target, elsewhere };
}

function placeWith(files: Record<string, string>): ReturnType<PodsPlace['elsewhere']> {
  const place = workplace(files);
  const start: Workplace['start'] = (args, env = {}) => place.start(args, { KUBECONFIG: kubeconfig(), ...env });
  const json = <T>(name: string): T | undefined => {
    const file = join(place.latestRun(), name);
    return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
  };
  return { ...place, start, json, loadctl: (args, env): Promise<Said> => start(args, env).said };
}

/** Waits until the pods make load; fails with what the run said where it ends before. */
export async function underLoad({ target }: PodsPlace, { said }: { said: Promise<Said> }): Promise<void> {
  let ended: Said | undefined;
  void said.then((all) => {
    ended = all;
  });
  await eventually(60, 'the pods make load', () => {
    if (ended !== undefined) throw new Error(`the run ended: ${ended.stdout}\n${ended.stderr}`);
    return (target.hits.get('GET /work') ?? 0) > 20 ? true : undefined;
  });
}

/** The SHA-256 of every file of a folder, by `sha256sum`; in order of paths. */
export const hashesHere = (folder: string) =>
  execFileSync('sh', ['-c', 'find . -type f -exec sha256sum {} +'], { cwd: folder, encoding: 'utf8' }).split('\n').filter(Boolean).sort();

/** The SHA-256 of every file of a run as it lies in its conductor's pod, by that pod's `sha256sum`; in order. */
export async function hashesInPod({ kubectl }: Namespace, run: string): Promise<string[]> {
  const find = `cd "$(find /work -type d -name '${run}')" && find . -type f -exec sha256sum {} +`;
  const said = await kubectl(['exec', `job/loadctl-${run}`, '--', 'sh', '-c', find]);
  return said.split('\n').filter(Boolean).sort();
}

/** The pod of a runner, which counts from 1. */
export async function podOf({ kubectl }: Namespace, runner: number): Promise<string> {
  const label = `batch.kubernetes.io/job-completion-index=${runner - 1},app.kubernetes.io/component=runner`;
  return kubectl(['get', 'pods', `--selector=${label}`, '--output=jsonpath={.items[*].metadata.name}']);
}

/** The id of a runner's pod, by which its processes are known on this machine. */
export async function uidOf(space: Namespace, runner: number): Promise<string> {
  return space.kubectl(['get', 'pod', await podOf(space, runner), '--output=jsonpath={.metadata.uid}']);
}

/** Sends a signal to the k6 of a runner. */
export async function signalRunner(space: Namespace, runner: number, signal: 'SIGKILL' | 'SIGSTOP'): Promise<void> {
  const [k6] = processesIn([await uidOf(space, runner)]).filter((line) => line.includes('k6 run '));
  process.kill(Number(k6?.split(' ')[0]), signal);
}

type Started = ReturnType<Workplace['start']>;

/** Starts a run whose conductor is on node 1, where no fault strikes; its runners are on all nodes, one on each of three. */
export async function startOnFirst(at: PodsPlace, args: readonly string[] = ['run', '--env', 'dev']): Promise<Started> {
  await kubectl(['cordon', 'n2', 'n3']);
  try {
    const run = at.start(args);
    const placed = async () => (await conductorsOf(at.space, '.spec.nodeName')) === 'n1' || undefined;
    await Promise.race([eventually(60, 'the conductor is on node 1', placed), endedBefore(run)]);
    return run;
  } finally {
    await kubectl(['uncordon', 'n2', 'n3']);
  }
}

function conductorsOf({ kubectl: ask }: Namespace, path: string): Promise<string> {
  return ask(['get', 'pods', '--selector=loadctl/role=conductor', `--output=jsonpath={.items[0]${path}}`]).catch(() => '');
}

async function endedBefore({ said }: Started): Promise<never> {
  const { stdout, stderr } = await said;
  throw new Error(`the run ended: ${stdout}\n${stderr}`);
}

/** Which runner, counted from 1, is on a node. */
export async function runnerOn({ kubectl: ask }: Namespace, node: Node): Promise<number> {
  const index = '{.metadata.annotations.batch\\.kubernetes\\.io/job-completion-index}';
  const path = `{range .items[?(@.spec.nodeName=="n${node}")]}${index}{end}`;
  return 1 + Number(await ask(['get', 'pods', '--selector=app.kubernetes.io/component=runner', `--output=jsonpath=${path}`]));
}

/** The processes of a namespace's pods on this machine, as `pid arguments`: the nodes are namespaces of it. */
export async function processesOf({ kubectl: ask }: Namespace): Promise<string[]> {
  const uids = (await ask(['get', 'pods', '--output=jsonpath={.items[*].metadata.uid}'])).split(' ').filter(Boolean);
  return processesIn(uids);
}

/** The same by the ids of pods, which may be gone. */
export function processesIn(uids: readonly string[]): string[] {
  const read = (pid: string, name: string) => {
    try {
      return readFileSync(`/proc/${pid}/${name}`, 'utf8');
    } catch {
      return ''; // it is gone
    }
  };
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const within = pids.filter((pid) => uids.some((uid) => read(pid, 'cgroup').includes(uid)));
  return within.map((pid) => `${pid} ${read(pid, 'cmdline').replaceAll('\0', ' ').trim()}`).filter((line) => / \S/.test(line));
}
