import { errorMessage, LoadctlError } from '../core/errors.js';
import type { Shell } from '../core/os.js';
import { formatCount } from '../core/quantities.js';
import { redactData } from '../core/redact-data.js';
import { findK6, goToBuildWith, pinnedVersion } from '../k6/binary/index.js';
import { rowsToAskFor } from '../phases/data/rows-to-ask-for.js';
import { profileOption } from '../phases/frame/context.js';
import { type Asked, askTarget } from '../phases/target/ask-target.js';
import { type FirstLook, lookByEach } from '../phases/watch/open-monitors.js';
import { type HostFacts, portsOf } from '../plan/capacity.js';
import type { Foreseen } from '../plan/inspection.js';
import { renderCapacity } from '../reporters/capacity-table.js';
import { type Finding, renderDoctor } from '../reporters/doctor-table.js';
import { otherLogins } from '../runners/local/accounts.js';
import { readThisMachine } from '../runners/local/this-machine.js';
import { type CapacityNote, capacityHere, plannedCapacity } from './call/capacity.js';
import { foresee } from './call/foresee.js';
import { examples, profileChoice, withCommonOptions, withProfileOptions } from './call/options.js';
import { type Planned, planProfile } from './call/profile.js';
import { session } from './call/session.js';
import { tableStyle } from './call/style.js';
import { testOutputs } from './call/test-outputs.js';
import type { Call, CommandModule, Outcome } from './call/types.js';
import { lookAtProfile } from './readiness/of-profile.js';

/** loadctl doctor */
export const command: CommandModule = {
  describe: (command) =>
    withCommonOptions(
      withProfileOptions(
        command
          .option('--connect', 'also log in to every store and ask the target, once each')
          .option('--ask', 'ask the target for a seeded user of each shard')
          .option('--monitors', 'look once by each monitor of the servers')
          .option('--outputs [NAME]', 'send a test through each output that no one is paged by, or through the one of this name'),
      ),
    )
      .description(
        'Reports what this machine has for a load test and what it lacks: k6 and why that one, Node, ports, open files, accounts;\nwith --env also all that a run of the profile needs, with the fix beside what it lacks. It touches nothing, but for what\n--connect and --ask ask, --monitors looks at and --outputs sends.',
      )
      .addHelpText(
        'after',
        examples([
          ['loadctl doctor', 'look at this machine'],
          ['loadctl doctor --env dev', 'and check all that a run of profiles/dev.yaml needs'],
          ['loadctl doctor --env dev --connect', 'and whether target and stores answer'],
          ['loadctl doctor --env staging --ask', 'whether the target finds a seeded user of each shard'],
          ['loadctl doctor --env staging --monitors', 'whether every monitor can look, and what it lacks'],
          ['loadctl doctor --env staging --outputs', 'whether every output takes a test, and has it'],
          ['loadctl doctor --env prod --outputs=oncall', 'the same of one, also where it opens an incident (it is resolved at once)'],
          ['loadctl doctor --json', 'as JSON'],
        ]),
      ),
  run: async (call) => {
    if (call.options.ask === true) return askForUsers(call);
    if (call.options.monitors === true) return lookAtServers(call);
    if (call.options.outputs !== undefined) return testOutputs(call);
    const { shell } = call;
    const carriedBy = profileChoice(call).source === undefined ? undefined : await planProfile(call, 'optional');
    const here = await readThisMachine(shell);
    const foreseen = carriedBy && (await foresee(call, carriedBy));
    const machine = [await lookAtK6(shell), lookAtNode(shell), lookAtPorts(here), lookAtOpenFiles(here), await lookAtAccounts(shell)];
    const seen = [...machine, ...(carriedBy && foreseen ? await lookAtProfile(call, carriedBy, foreseen) : [])];
    const findings = redactData(seen, call.redact);
    const missing = findings.some(({ state }) => state === 'missing');
    const carried = carriedBy && foreseen && redactData(await capacityFor(carriedBy, foreseen, here, shell), call.redact);
    const style = await tableStyle(call, 'stdout');
    const table = carried === undefined ? '' : `\n${renderCapacity(carried, style).join('\n')}\n`;
    return {
      reasons: missing || carried?.capacity.problems.some(({ certain }) => certain) ? ['unavailable'] : [],
      data: { findings, ...(carried === undefined ? {} : { capacity: carried.capacity }) },
      text: renderDoctor(findings, style) + table,
    };
  },
};

/** Pods are held against what they ask for, other hosts against this machine. */
async function capacityFor(planned: Planned, foreseen: Foreseen, here: HostFacts, shell: Shell): Promise<CapacityNote | undefined> {
  return planned.plan.fleet.backend === 'kubernetes' ? plannedCapacity(planned, foreseen, shell) : capacityHere(planned, foreseen, here);
}

/** What the target says of a seeded row of every shard. */
async function askForUsers(call: Call): Promise<Outcome> {
  return session(call, { command: 'doctor', does: ['ask'], changesNothing: true }, async (context) => {
    const { origin, profile, world } = context;
    const named = profileOption({ file: origin.file, environment: profile.environment, cwd: world.cwd });
    const asked = redactData(await askTarget(context, await rowsToAskFor(context)), context.redact);
    return {
      reasons: asked.every(({ found }) => found) ? [] : ['unavailable'],
      shown: {
        data: { asked },
        text: renderDoctor(
          asked.map((each) => lookedUp(each, named)),
          await tableStyle(call, 'stdout'),
        ),
      },
    };
  });
}

/** Whether each monitor can look, and what falls away. */
async function lookAtServers(call: Call): Promise<Outcome> {
  return session(call, { command: 'doctor', does: ['ask'], changesNothing: true }, async (context) => {
    const { opened, looks } = await lookByEach(context, 'loadctl/doctor');
    for (const { probes } of opened) for (const probe of probes) probe.drop();
    const findings = redactData(
      looks.map((look) => monitorFinding(look, context.origin.monitorsAt[look.monitor.name] ?? '')),
      context.redact,
    );
    const failed = looks.some(({ error, monitor }) => error !== undefined && monitor.required);
    return {
      reasons: failed ? ['unavailable'] : [],
      shown: { data: { monitors: findings }, text: renderDoctor(findings, await tableStyle(call, 'stdout')) },
    };
  });
}

function monitorFinding({ monitor: { name, required }, probe, error }: FirstLook, at: string): Finding {
  const remarks = probe.remarks?.().join(' ') ?? '';
  if (error === undefined)
    return {
      what: name,
      state: remarks === '' ? 'good' : 'low',
      said: `it answers: ${probe.source}`,
      ...(remarks === '' ? {} : { more: remarks }),
    };
  const hint = error instanceof LoadctlError ? error.hint : undefined;
  return {
    what: name,
    state: required ? 'missing' : 'low',
    said: `${at}: ${probe.source}: ${errorMessage(error)}`,
    ...(hint === undefined ? {} : { more: hint }),
  };
}

function lookedUp({ store, shard, row, there, request, status, found }: Asked, named: string): Finding {
  const what = shard === null ? store : `${store}[${shard}]`;
  if (found) return { what, state: 'good', said: `${row}: the target finds it (${request}: ${status})` };
  if (!there) return { what, state: 'missing', said: `${row} is not there`, more: `Seed first: loadctl seed ${named}` };
  const more =
    status === 0
      ? 'Start the target, or fix target.url in the profile.'
      : 'It looks elsewhere: compare its rule with shardBy in the profile.';
  return { what, state: 'missing', said: `${row}: the target does not find it (${request}: ${status === 0 ? 'no answer' : status})`, more };
}

async function lookAtK6(shell: Shell): Promise<Finding> {
  try {
    const found = await findK6(shell);
    if (found !== undefined) return { what: 'k6', state: 'good', said: `${found.version} at ${found.path}`, more: found.why };
    return {
      what: 'k6',
      state: 'low',
      said: 'none yet',
      more: `loadctl run downloads k6 ${pinnedVersion}, or ${await buildInWords(shell)}. Or name your own: LOADCTL_K6=/path/to/k6`,
    };
  } catch (error) {
    const hint = error instanceof LoadctlError ? error.hint : undefined;
    return { what: 'k6', state: 'missing', said: errorMessage(error), ...(hint === undefined ? {} : { more: hint }) };
  }
}

async function buildInWords(shell: Shell): Promise<string> {
  const go = await goToBuildWith(shell);
  return go === undefined ? 'fails where the download is unreachable: no Go here to build it' : `builds it with ${go} (some minutes)`;
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
function lookAtPorts(here: HostFacts): Finding {
  const count = portsOf(here);
  if (count === undefined) return { what: 'ports', state: 'unknown', said: 'this system does not say' };
  const said = `${formatCount(count)} for connections to one address (${here.portsFrom}–${here.portsTo})`;
  if (count >= portsWanted) return { what: 'ports', state: 'good', said };
  return { what: 'ports', state: 'low', said, more: 'More: sysctl -w net.ipv4.ip_local_port_range="1024 65535"' };
}

const filesWanted = 10_000;

/** Each open connection takes a file descriptor of the k6 process; k6 raises its limit to the hard one. */
function lookAtOpenFiles({ openFiles }: HostFacts): Finding {
  if (openFiles === undefined) return { what: 'open files', state: 'unknown', said: 'this system does not say, or has no limit' };
  const said = `${formatCount(openFiles)} for each k6 process`;
  if (openFiles >= filesWanted) return { what: 'open files', state: 'good', said };
  return {
    what: 'open files',
    state: 'low',
    said,
    more: 'Enough for about as many virtual users. More: ulimit -Hn 65535, as root, before loadctl',
  };
}

const namesShown = 3;

/** k6's REST API asks for no credentials: what setup() returns can be read there. */
async function lookAtAccounts(shell: Shell): Promise<Finding> {
  const others = await otherLogins(shell);
  if (others === undefined) return { what: 'accounts', state: 'unknown', said: 'unknown on this system' };
  if (others.length === 0) return { what: 'accounts', state: 'good', said: 'no other account can log in here' };
  const names = [...others.slice(0, namesShown), ...(others.length > namesShown ? ['…'] : [])].join(', ');
  return {
    what: 'accounts',
    state: 'low',
    said: `${formatCount(others.length)} other${others.length === 1 ? ' one' : 's'} can log in here (${names})`,
    more: "During a run every account of this machine can read what setup() returns, over k6's REST API: return no secrets there.",
  };
}
