import type { RunnerId } from '../../core/ids.js';
import { formatDuration, type Milliseconds, trimNumber } from '../../core/quantities.js';
import type {
  BlockGap,
  DataWarning,
  LiveWarning,
  LoadWarning,
  MonitorWarning,
  OutputWarning,
  PushRejection,
  TeardownGap,
  Warning,
} from '../../core/warnings.js';
import { formatLimit } from '../../metrics/limit-text.js';
import { capacityText, formatBytes } from './capacity.js';
import { planWarningText } from './plan-warning.js';
import { counted } from './words.js';
import { placeName } from './work.js';

/** A sentence, with one action where there is one. */
export interface Advice {
  readonly text: string;
  readonly hint?: string;
}

/** What a warning says; every code has its sentence here. */
export function warningText(warning: Warning): Advice {
  switch (warning.code) {
    case 'environment-ignored':
    case 'variables-unheard':
    case 'tag-lost':
    case 'k6-complained':
    case 'k6-versions-differ':
    case 'clock-off':
    case 'capacity-short':
    case 'generators-crowded':
    case 'live-colour-in-reach':
    case 'teardown-not-run':
    case 'handle-summary-failed':
    case 'numbers-unreadable':
    case 'files-not-kept':
    case 'log-cut':
    case 'runner-stood-still':
    case 'numbers-pushed-only':
    case 'numbers-missing':
    case 'numbers-cut-off':
    case 'clock-jumped':
    case 'stood-still':
    case 'limit-not-watched':
      return loadWarning(warning);
    case 'cloud-unreachable':
    case 'cloud-not-aborted':
    case 'push-rejected':
    case 'requests-folded':
    case 'series-left-out':
    case 'live-lookup-failed':
      return liveWarning(warning);
    case 'lock-lost':
    case 'seeded-rows-uncertain':
    case 'pool-missing':
    case 'pool-unknown':
    case 'before-file-unusable':
    case 'before-file-not-written':
    case 'removals-not-noted':
    case 'seed-not-taken-back':
    case 'entries-vanished':
    case 'keys-evicted':
    case 'memory-unknown':
      return dataWarning(warning);
    case 'monitor-silent':
      return silentText(warning);
    case 'output-behind':
    case 'output-refused':
    case 'output-incomplete':
      return outputWarning(warning);
    default:
      return { text: planWarningText(warning) };
  }
}

function silentText({ monitor, source, why, required }: MonitorWarning): Advice {
  const meaning = required
    ? 'The result is invalid where too much of the judged window is missing.'
    : 'Its limits are not measured where too much of the judged window is missing.';
  return { text: `monitor ${monitor} has no data from ${source}: ${why}. ${meaning}` };
}

function outputWarning(warning: OutputWarning): Advice {
  const { output } = warning;
  switch (warning.code) {
    case 'output-behind':
      return { text: `output ${output} is behind: ${warning.why}. The run goes on; what waits is sent later.` };
    case 'output-refused':
      return { text: `output ${output} loses data: ${warning.why}. The run goes on.` };
    case 'output-incomplete': {
      const { kept, lost, unit, command } = warning;
      const parts = [...(kept > 0 ? [`${counted(kept, unit)} not sent yet`] : []), ...(lost > 0 ? [`${counted(lost, unit)} lost`] : [])];
      const hint = command === undefined ? {} : { hint: `Send what is left: ${command}` };
      return { text: `output ${output}: ${parts.join(', ')}`, ...hint };
    }
  }
}

function loadWarning(warning: LoadWarning): Advice {
  switch (warning.code) {
    case 'environment-ignored':
      return ignoredText(warning);
    case 'variables-unheard':
      return {
        text: `k6 does not see ${warning.variables.join(', ')} of workload.env: how it starts, logs and reports is loadctl's. The script sees them.`,
        hint: 'What was measured is in the run directory; loadctl run --json prints it.',
      };
    case 'tag-lost':
      return {
        text: `The script's own tag \`${warning.tag}\` is lost: loadctl marks the judged window with it.`,
        hint: 'Rename the tag in options.tags or in the scenario.',
      };
    case 'k6-complained':
      return { text: `k6 reported${warning.times > 1 ? ` ${warning.times} times` : ''}: ${warning.message}` };
    case 'k6-versions-differ':
      return {
        text: `k6 is not the same everywhere: ${versionsText(warning.versions)}.`,
        hint: "Install one version on all hosts, or ship this machine's: runners.hostK6: bring",
      };
    case 'clock-off':
      return { text: clockText(warning.host, warning.offsetMs) };
    case 'capacity-short':
      return { text: capacityText(warning.problem) };
    case 'generators-crowded':
      return { text: crowdedText(warning) };
    case 'live-colour-in-reach':
      return { text: gapText(warning.gap) };
    case 'teardown-not-run':
      return {
        text: teardownGaps[warning.why],
        hint: 'Undo by hand what setup() did.',
      };
    case 'handle-summary-failed':
      return { text: `The script's handleSummary failed: ${warning.message}` };
    case 'numbers-unreadable':
      return { text: `The numbers of runner ${warning.runner} are unreadable: ${warning.message}` };
    case 'files-not-kept':
      return { text: `Runner ${warning.runner}: not all of its files could be kept: ${warning.message}` };
    case 'log-cut':
      return {
        text: `The log of runner ${warning.runner} was cut: ${warning.leftOutBytes === undefined ? 'some bytes' : formatBytes(warning.leftOutBytes)} between its beginning and its end were discarded.`,
      };
    case 'runner-stood-still':
      return {
        text: `Runner ${warning.runner} stood still for ${formatDuration(warning.forMs)} in all: ${trimNumber(warning.lost * 100, 1)}% of the load was not made.`,
        hint: 'Look for what stops its process again and again, or its machine.',
      };
    case 'numbers-pushed-only':
      return { text: pushedOnly(warning.runners, warning.uncounted) };
    case 'numbers-missing':
      return {
        text: `${namesOf(warning.runners)} left no numbers: ${trimNumber(warning.lost * 100, 1)}% of the load is not in the result.`,
      };
    case 'numbers-cut-off':
      return { text: `${namesOf(warning.runners)} ended at once, before writing a summary; using the live data received until then.` };
    case 'clock-jumped':
      return { text: jumpText(warning.byMs) };
    case 'stood-still':
      return { text: `loadctl itself did not run for ${formatDuration(warning.forMs)}: nothing was heard or watched meanwhile.` };
    case 'limit-not-watched':
      return {
        text: `${warning.limit.name} ${formatLimit(warning.limit)} cannot be decided from live data: it ends nothing early, and counts at the end.`,
      };
  }
}

function ignoredText({ variables, ofOptions, ofModules = [] }: Extract<LoadWarning, { code: 'environment-ignored' }>): Advice {
  const others = ofModules.map((name) => `${name}: "\${${name}}"`);
  const places = [
    ...(ofOptions.length === 0 ? [] : ['workload.options']),
    ...(others.length === 0 ? [] : [`workload.env: {${others.join(', ')}}`]),
  ];
  return {
    text: `Ignored from the environment: ${variables.join(', ')}. They would change the test.`,
    ...(places.length === 0 ? {} : { hint: `Set it in the profile: ${places.join('; ')}.` }),
  };
}

function versionsText(versions: Readonly<Record<string, readonly string[]>>): string {
  return Object.entries(versions)
    .map(([version, hosts]) => `${version} on ${hosts.join(', ')}`)
    .join('; ');
}

function clockText(host: string, offsetMs: Milliseconds): string {
  const off = `${formatDuration(Math.abs(offsetMs))} ${offsetMs > 0 ? 'ahead of' : 'behind'}`;
  return `The clock of ${host} is ${off} this machine's, and so are the times in the logs of its runners.`;
}

function crowdedText({ runners, forMs, ofMs, k6 }: Extract<LoadWarning, { code: 'generators-crowded' }>): string {
  const whose =
    runners.length === 1
      ? `Runner ${runners[0]}'s machine`
      : `The machine of runners ${runners.slice(0, -1).join(', ')} and ${runners.at(-1)}`;
  const time = `${Math.round(forMs / 1000)} s of ${ofMs < 120_000 ? `${Math.round(ofMs / 1000)} s` : formatDuration(ofMs)}`;
  return `${whose} was above 90% CPU for ${time}, most of it by others (k6: ${Math.round(k6 * 100)}%): latencies may be longer than the target's.`;
}

function gapText(gap: BlockGap): string {
  const { live, loaded, host } = gap;
  const rest = (byName: boolean) =>
    byName ? 'the runners are kept away from it by its name alone' : 'k6 cannot keep the runners away from it';
  switch (gap.why) {
    case 'same-host':
      return `${live}, the live colour, is on the same host as ${loaded} (${host}): k6 cannot keep the runners away from one of its ports.`;
    case 'shared-address':
      return `${live}, the live colour, shares the address ${gap.addresses.join(', ')} with ${loaded}: ${rest(gap.byName)}.`;
    case 'unresolved':
      return `${host}, the host of the live colour, cannot be resolved here: ${rest(gap.byName)}.`;
    case 'no-name':
      return `k6 does not accept ${host}, the host of the live colour, as a name: it is blocked by its address alone.`;
  }
}

const teardownGaps: Readonly<Record<TeardownGap, string>> = {
  'no-data': 'teardown() did not run: what setup() returned is unknown.',
  'no-runner': 'teardown() did not run: no runner was left.',
  lost: 'teardown() may not have finished: the runner on which it ran was lost, and no other is left.',
  'ended-at-once': 'teardown() did not run: everything was stopped immediately.',
};

function pushedOnly(runners: readonly RunnerId[], uncounted: readonly string[]): string {
  const known = `${namesOf(runners)} wrote no summary; using the live data received until then.`;
  return uncounted.length === 0 ? known : `${known} Counts for ${uncounted.join(', ')} are unknown and excluded.`;
}

/** `Runner 2`, `Runners 1, 2 and 3`. */
function namesOf(runners: readonly RunnerId[]): string {
  if (runners.length === 1) return `Runner ${runners[0]}`;
  return `Runners ${runners.slice(0, -1).join(', ')} and ${runners.at(-1)}`;
}

function jumpText(byMs: Milliseconds): string {
  const by = `${formatDuration(Math.abs(byMs))} ${byMs > 0 ? 'ahead' : 'back'}`;
  return `The clock of this machine jumped ${by}: it was set${byMs > 0 ? ', or the machine slept' : ''}. Measurements do not use it.`;
}

const oneName = "Give requests whose URLs differ one name: http.get(url, {tags: {name: 'GET /things/:id'}}).";

function liveWarning(warning: LiveWarning): Advice {
  switch (warning.code) {
    case 'cloud-unreachable':
      return {
        text: `Grafana Cloud does not say how the run is: ${warning.why}`,
        hint: `k6 asks again; after ${formatDuration(warning.leavesAfterMs)} of this the run is left to itself.`,
      };
    case 'cloud-not-aborted':
      return {
        text: `Grafana Cloud did not take the abort: ${warning.why}`,
        hint: 'The run goes on there: abort it on its page. Another Ctrl-C leaves it.',
      };
    case 'push-rejected':
      return { text: `A push of live data ${rejections[warning.why]}: it was rejected and changed nothing.` };
    case 'requests-folded':
      return { text: 'There are so many different requests that the live view counts further ones as "other".', hint: oneName };
    case 'series-left-out':
      return {
        text: 'There are so many different series that the live view leaves further ones out. Abort rules ask k6 itself; the summary has them all.',
        hint: oneName,
      };
    case 'live-lookup-failed':
      return { text: warning.error.message, hint: `Retrying in ${formatDuration(warning.retryMs)}.` };
  }
}

/** Why a push was turned away, as the end of a sentence. */
export const rejections: Readonly<Record<PushRejection, string>> = {
  malformed: 'was unreadable',
  oversized: 'was too large',
  foreign: 'did not come from a runner (wrong path or token)',
};

function dataWarning(warning: DataWarning): Advice {
  const name = 'place' in warning ? placeName(warning.place) : '';
  switch (warning.code) {
    case 'pool-missing':
      return {
        text: `${name}: a user of the pool is not there: ${warning.row}. The script will draw users that the target does not know.`,
        hint: warning.command,
      };
    case 'pool-unknown':
      return { text: `Cannot determine whether the pool (the set ${warning.set}) is seeded: ${warning.why}` };
    case 'before-file-unusable':
      return {
        text: `${warning.file} is not used: ${warning.why}. What was seeded from here before is not known.`,
        hint: 'Put the file back as it was, or seed again to have it made anew.',
      };
    case 'before-file-not-written':
      return {
        text: `${warning.file} still lists what this cleanup removed, so the next one may report it as missing: ${warning.why}`,
        hint: `Make it writable, and run the command again.`,
      };
    case 'removals-not-noted':
      return {
        text: `cannot note in ${warning.file} what this cleanup removes, so one after it would not know of that if this one is killed: ${warning.why}`,
        hint: 'Wait until this cleanup ends, or make the file writable.',
      };
    case 'lock-lost':
      return { text: `${name}: lost the lock (${warning.why}); retrying for ${formatDuration(warning.retryMs)}` };
    case 'seeded-rows-uncertain':
      return {
        text: `${name}: cannot distinguish rows of ${warning.table} from rows of others: cleanup --seeded will leave them`,
        hint: `To have them removed, ${warning.fix}.`,
      };
    case 'seed-not-taken-back':
      return {
        text: `${name}: could not remove all that this seed wrote to ${warning.what} (${warning.why})`,
        hint: warning.command,
      };
    case 'entries-vanished':
      return {
        text: `${name}: ${counted(warning.count, 'entry', 'entries')} of ${warning.key} vanished before being read back, written again`,
        hint: 'Check whether a node failed over, or evicts keys.',
      };
    case 'keys-evicted':
      return {
        text: `${name}: ${warning.node} evicted ${counted(warning.count, 'key')} while entries were seeded; they may be of others`,
        hint: 'Give the server more memory, or seed fewer entries.',
      };
    case 'memory-unknown':
      return {
        text: `${name}: cannot read the memory of ${warning.node}, so seeding may make it evict keys of others`,
        hint: 'Allow the user: +info',
      };
  }
}
