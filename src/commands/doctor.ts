import { readFile } from 'node:fs/promises';
import { errorMessage, LoadctlError } from '../core/errors.js';
import type { Shell } from '../core/os.js';
import { formatCount } from '../core/quantities.js';
import { findK6, pinnedVersion } from '../k6/binary/index.js';
import { type Finding, renderDoctor } from '../reporters/doctor-table.js';
import { examples, withCommonOptions } from './options.js';
import { tableStyle } from './style.js';
import type { CommandModule } from './types.js';

/** loadctl doctor */
export const command: CommandModule = {
  describe: (command) =>
    withCommonOptions(command)
      .description('Says what this machine has for a load test and what it lacks: k6 and why that one, Node, ports, open files.')
      .addHelpText(
        'after',
        examples([
          ['loadctl doctor', 'look at this machine'],
          ['loadctl doctor --json', 'as JSON'],
        ]),
      ),
  run: async (call) => {
    const { shell } = call;
    const findings = [await lookAtK6(shell), lookAtNode(shell), await lookAtPorts(), await lookAtOpenFiles(shell)];
    const missing = findings.some(({ state }) => state === 'missing');
    return { reasons: missing ? ['unavailable'] : [], data: { findings }, text: renderDoctor(findings, await tableStyle(call, 'stdout')) };
  },
};

async function lookAtK6({ env, home, cwd, execute }: Shell): Promise<Finding> {
  try {
    const found = await findK6({ env, home, cwd, execute });
    if (found !== undefined) return { what: 'k6', state: 'good', said: `${found.version} at ${found.path}`, more: found.why };
    return {
      what: 'k6',
      state: 'low',
      said: 'none yet',
      more: `loadctl run fetches k6 ${pinnedVersion}; or put your own on the PATH, or name it in LOADCTL_K6.`,
    };
  } catch (error) {
    const hint = error instanceof LoadctlError ? error.hint : undefined;
    return { what: 'k6', state: 'missing', said: errorMessage(error), ...(hint === undefined ? {} : { more: hint }) };
  }
}

function lookAtNode({ versions }: Shell): Finding {
  const good = Number.parseInt(versions.node, 10) >= 20;
  return {
    what: 'node',
    state: good ? 'good' : 'missing',
    said: versions.node,
    ...(good ? {} : { more: 'loadctl needs Node 20 or newer.' }),
  };
}

const portsWanted = 20_000;

/** Each open connection to one address of the target takes a port. */
async function lookAtPorts(): Promise<Finding> {
  const [from, to] = (await readFile('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').catch(() => '')).trim().split(/\s+/).map(Number);
  if (from === undefined || to === undefined || Number.isNaN(to - from))
    return { what: 'ports', state: 'unknown', said: 'this system does not say' };
  const count = to - from + 1;
  const said = `${formatCount(count)} for connections to one address (${from}–${to})`;
  if (count >= portsWanted) return { what: 'ports', state: 'good', said };
  return { what: 'ports', state: 'low', said, more: 'More: sysctl -w net.ipv4.ip_local_port_range="1024 65535"' };
}

const filesWanted = 10_000;

/** Each open connection takes a file descriptor of the k6 process. */
async function lookAtOpenFiles({ execute, env }: Shell): Promise<Finding> {
  const { stdout, exitCode } = await execute({ file: '/bin/sh', args: ['-c', 'ulimit -n'], env: { PATH: env.PATH ?? '' } });
  const text = stdout.trim();
  if (exitCode !== 0 || text === '') return { what: 'open files', state: 'unknown', said: 'this system does not say' };
  const limit = text === 'unlimited' ? Number.POSITIVE_INFINITY : Number(text);
  const said = text === 'unlimited' ? 'no limit' : `${formatCount(limit)} for each k6 process`;
  if (limit >= filesWanted) return { what: 'open files', state: 'good', said };
  return { what: 'open files', state: 'low', said, more: 'Enough for about as many virtual users. More: ulimit -n 65535, before loadctl' };
}
