import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';

const programs = ['unshare', 'nsenter', 'setpriv', 'flock', 'ip', 'nft', 'openssl', 'containerd', 'ctr', 'runc', 'ldd', 'go'];
const files = ['/usr/lib/cni/bridge', '/usr/lib/cni/host-local', '/bin/busybox'];

/** Why this machine cannot carry the test cluster, in one sentence, or undefined where it can. */
export function whyNoCluster(): string | undefined {
  if (process.platform !== 'linux') return 'the test cluster needs Linux';
  if (process.getuid?.() !== 0) return 'the test cluster needs root';
  const missing = [...programs.filter((name) => !succeeds('which', name)), ...files.filter((file) => !existsSync(file))];
  if (missing.length > 0) return `the test cluster needs what is not installed here: ${missing.join(', ')}`;
  if (
    !succeeds('unshare', '--net', '--mount', '--pid', '--uts', '--ipc', '--fork', '--mount-proc', 'mount', '-t', 'tmpfs', 'tmpfs', '/run')
  )
    return 'the test cluster needs namespaces and mounts (unshare), which are not allowed here';
  const go = goVersion();
  if (go < leastGo) return `the test cluster needs Go 1.${leastGo}, and this is 1.${go}`;
  return groupsAreWritable() ? undefined : 'the test cluster needs control groups that can be written, below /sys/fs/cgroup';
}

/** What test/cluster/kube/go.mod asks for, behind `1.`. */
const leastGo = 26;

function goVersion(): number {
  const { stdout } = spawnSync('go', ['env', 'GOVERSION'], { encoding: 'utf8', env: { ...process.env, GOTOOLCHAIN: 'local' } });
  return Number(/^go1\.(\d+)/.exec(stdout ?? '')?.[1] ?? 0);
}

function succeeds(file: string, ...args: string[]): boolean {
  return spawnSync(file, args, { stdio: 'ignore' }).status === 0;
}

function groupsAreWritable(): boolean {
  const root = '/sys/fs/cgroup';
  const isSecond = existsSync(`${root}/cgroup.controllers`);
  try {
    for (const folder of isSecond ? [root] : ['cpu', 'cpuset', 'memory', 'pids'].map((name) => `${root}/${name}`))
      accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
