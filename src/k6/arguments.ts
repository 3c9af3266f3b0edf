import type { Command } from '../core/command.js';
import type { Milliseconds } from '../core/quantities.js';
import type { PushAddress } from './remote-write/receiver.js';

/** A k6 binary with what every call of it gets. */
export interface K6 {
  readonly file: string;
  /** A config file of ours (`{}`): it shuts out the user's own. */
  readonly configFile: string;
  /** The whole environment of the process. */
  readonly env: Readonly<Record<string, string>>;
}

/** A main module of ours on its way to k6: on stdin, in the folder that the user's script looks for files from; or in an archive. */
export type MainModule = { readonly source: string; readonly folder: string } | { readonly archive: string };

/** What one runner is told to do. */
export interface RunnerTask {
  readonly archive: string;
  /** `0:1/3`, with the sequence `0,1/3,2/3,1` that all runners share. */
  readonly segment: string;
  readonly sequence: string;
  /** host:port of its REST API. */
  readonly address: string;
  /** This runner's share of the script's `rps`, which k6 does not divide by segments. */
  readonly rps?: number;
  /** The file that k6 writes its numbers to: `--summary-export`. */
  readonly summaryFile: string;
  /** Where it pushes what it measures. */
  readonly push: PushAddress;
  readonly pushEvery: Milliseconds;
  /** Further outputs of k6's own, files with their whole paths: `json=/…`; none of its files is longer than {@link mostOfFile} then. */
  readonly outputs: readonly string[];
}

/** As long as a file of k6's own outputs may become, in bytes: its disk is the runner's as well. */
export const mostOfFile = 256 * 1024 * 1024;

const quiet = ['--log-format', 'json', '--no-color', '--quiet'];

/** `k6 inspect`: options as k6 understands them, without running anything but init code; it also says what k6 fetches. */
export function inspectCommand(k6: K6, main: MainModule): Command {
  return mainCommand(k6, ['inspect', '--verbose', '--include-system-env-vars', '--execution-requirements'], main);
}

/** `k6 archive`: the script with all that it imports and opens; its options see the environment, the archive holds none of it. */
export function archiveCommand(k6: K6, main: MainModule, archive: string): Command {
  return mainCommand(k6, ['archive', '--include-system-env-vars', '--exclude-env-vars', '-O', archive], main);
}

/**
 * `k6 run` of one execution segment: paused until it is released over REST, and there until it is told to go. The push
 * token is in its environment only: arguments are everybody's to read.
 */
export function runnerCommand(k6: K6, task: RunnerTask): Command {
  const run = command({ ...k6, env: { ...k6.env, ...pushEnvironment(task) } }, [
    'run',
    '--paused',
    '--linger',
    '--no-setup',
    '--no-teardown',
    '--address',
    task.address,
    '--execution-segment',
    task.segment,
    '--execution-segment-sequence',
    task.sequence,
    '--summary-export',
    task.summaryFile,
    ...(task.rps === undefined ? [] : ['--rps', String(task.rps)]),
    '--out',
    'experimental-prometheus-rw',
    ...task.outputs.flatMap((output) => ['--out', output]),
    task.archive,
  ]);
  return task.outputs.length === 0 ? run : bounded(run);
}

/** k6 goes on where a file of its outputs may not grow: what would come after is not written. POSIX counts such files in 512 bytes. */
function bounded({ file, args, ...rest }: Command): Command {
  return { ...rest, file: 'sh', args: ['-c', `ulimit -f ${mostOfFile / 512}; exec "$0" "$@"`, file, ...args] };
}

/** k6's own variables of its Prometheus remote-write output. */
function pushEnvironment({ push: { url, token }, pushEvery }: RunnerTask): Record<string, string> {
  return {
    K6_FEATURES: 'native-histograms',
    K6_PROMETHEUS_RW_SERVER_URL: url,
    K6_PROMETHEUS_RW_BEARER_TOKEN: token,
    K6_PROMETHEUS_RW_PUSH_INTERVAL: `${pushEvery}ms`,
  };
}

/**
 * `k6 cloud run` of an archive: it uploads it, has Grafana Cloud run it, and follows until that is over. What the script logs
 * there stays there. Who logs in is in its environment only.
 */
export function cloudRunCommand(k6: K6, archive: string): Command {
  const args = ['cloud', 'run', '--config', k6.configFile, '--log-format', 'json', '--no-color', '--show-logs=false', archive];
  return { file: k6.file, args, env: k6.env };
}

/** `k6 run` of an archive of ours that hands merged data to the user's handleSummary, once. */
export function handOverCommand(k6: K6, archive: string): Command {
  return command(k6, ['run', '--address', '', archive]);
}

/** PWD is what k6 takes for the folder's name where links lead to it: `..` means the folder above that name. */
function mainCommand(k6: K6, args: readonly string[], main: MainModule): Command {
  if ('archive' in main) return command(k6, [...args, main.archive]);
  const { source, folder } = main;
  return { ...command({ ...k6, env: { ...k6.env, PWD: folder } }, [...args, '-']), stdin: source, cwd: folder };
}

function command(k6: K6, [subcommand = '', ...args]: readonly string[]): Command {
  return { file: k6.file, args: [subcommand, '--config', k6.configFile, ...quiet, ...args], env: k6.env };
}
