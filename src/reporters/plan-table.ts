import { formatCount, formatDuration, type Milliseconds, type Share, trimNumber } from '../core/quantities.js';
import { formatLimit } from '../metrics/limit-text.js';
import { scriptThresholds } from '../metrics/threshold.js';
import { isInCloud } from '../plan/cloud.js';
import type { Foreseen, Scenario, Unforeseen } from '../plan/inspection.js';
import type { Plan } from '../plan/plan.js';
import type { PlannedSeed } from '../plan/sections.js';
import type { LiveLookUp, LoadTarget } from '../plan/target.js';
import { type Carried, renderCapacity } from './capacity-table.js';
import { cloudPlanLines } from './sentences/cloud-plan.js';
import { cleanupInWords, seedInWords } from './sentences/data.js';
import { limitInWords, ruleInWords } from './sentences/limits.js';
import { monitorInWords } from './sentences/monitors.js';
import { outputInWords } from './sentences/outputs.js';
import { planWarningText } from './sentences/plan-warning.js';
import { counted, formatRate } from './sentences/words.js';
import { type Column, renderPairs, renderTable, type TableStyle } from './table.js';
import { wrapLines } from './wrap.js';

/** What is told beside a plan. */
export interface PlanNotes {
  /** Where the profile came from, as shown. */
  readonly file: string;
  readonly variables: readonly { readonly name: string; readonly from: string }[];
  readonly overrides: readonly { readonly path: string; readonly value: string }[];
  readonly unbuilt: readonly { readonly word: string; readonly message: string }[];
  /** What each runner and host has to carry. */
  readonly carried?: Carried | undefined;
  /** What k6 says of the script; missing where nobody asked it. */
  readonly foreseen?: Foreseen | undefined;
  /** What a run would end with before it makes any load, as k6's look at the script says; missing where nothing of it is known. */
  readonly failure?: { readonly message: string; readonly lines: readonly string[]; readonly fix: string | undefined } | undefined;
  /** Variables that the script reads, and that do not leave for Grafana Cloud. */
  readonly kept?: readonly string[];
  /** Guards that would refuse this plan. */
  readonly refusals: readonly { readonly guard: string; readonly message: string; readonly fix: string }[];
  /** Variables that are missing, and that the hash depends on. */
  readonly changingHash: readonly string[];
  /** What is about to be done, where that is not all of it. */
  readonly does?: readonly Deed[];
  /** Whether seeded rows are to go, too. */
  readonly seeded?: boolean;
  /** Behind colours: the one that is loaded, where the live one was looked up. */
  readonly target?: LoadTarget;
  /** What the databases would do by themselves with what is put in and taken out; only where they were asked. */
  readonly setOff?: readonly string[];
}

/** A part of a plan that a command carries out. */
export type Deed = 'seed' | 'load' | 'cleanup' | 'ask';

const deeds: Readonly<Record<Deed, string>> = {
  seed: 'insert test data',
  load: 'load the target',
  cleanup: 'remove test data',
  ask: 'ask the target for a seeded row',
};

const endpointColumns: readonly Column[] = [{ title: 'endpoint', wraps: true }, { title: 'requests/s', align: 'right' }, { title: '' }];

/** What a run will do, in full: its load by endpoint, its hosts, what is put in and taken out, what stands in its way. */
export function renderPlan(plan: Plan, notes: PlanNotes, style: TableStyle): string {
  const { paint } = style;
  const does = (deed: Deed) => notes.does === undefined || notes.does.includes(deed);
  const sections = [
    [`${paint.strong('PLAN')}  ${plan.environment}  ${paint.faint(`${notes.file} · hash ${plan.hash.slice(0, 12)}`)}`],
    renderPairs(
      [
        ['about to', notes.does === undefined ? [] : [notes.does.map((deed) => deeds[deed]).join(', ')]],
        ['target', does('load') ? targetLines(plan, notes) : []],
        ['script', does('load') ? scriptLines(plan, notes.foreseen) : []],
        ['fetched', does('load') ? (notes.foreseen?.fetched ?? []) : []],
        ['load', does('load') ? [...loadLines(plan, notes.foreseen), ...ownOutputLines(plan)] : []],
        ['runners', does('load') && !isInCloud(plan) ? [`${plan.runners.length}, ${plan.fleet.backend}: ${segments(plan)}`] : []],
        ['cloud', does('load') ? cloudPlanLines(plan, notes.kept ?? []) : []],
        [
          'stores',
          plan.stores.map(({ name, kind, hosts }) => `${name}: ${kind} on ${hosts.length > 0 ? hosts.join(', ') : '(no address)'}`),
        ],
        ['monitors', does('load') ? plan.monitors.map((monitor) => monitorInWords(monitor, windowOf(plan))) : []],
        ['outputs', plan.outputs.map(outputInWords)],
        ['seed', does('seed') ? seedLines(plan) : []],
        ['cleanup', does('cleanup') ? cleanupLines(plan, notes) : []],
        ['sets off', notes.setOff ?? []],
        [
          'limits',
          does('load')
            ? [...plan.criteria.map((criterion) => limitInWords(criterion, plan.judgedMonitors)), ...scriptLimits(notes.foreseen)]
            : [],
        ],
        ['ends early', does('load') ? plan.abort.map(ruleInWords) : []],
        ['hosts', [plan.beyondLoopback.length === 0 ? 'this machine only' : `beyond this machine: ${plan.beyondLoopback.join(', ')}`]],
        ['variables', notes.variables.map(({ name, from }) => (from === 'missing' ? paint.warn(`${name}: missing`) : `${name}: ${from}`))],
        ['changed', notes.overrides.map(({ path, value }) => `${path} = ${value}`)],
      ],
      style,
    ),
    plan.endpoints.length > 0 && does('load') ? renderTable(endpointColumns, endpointRows(plan), style) : [],
    notes.carried === undefined ? [] : renderCapacity(notes.carried, style),
    plan.warnings.map((warning) => `  ${paint.warn('!')} ${planWarningText(warning)}`),
    notes.unbuilt.map(({ word, message }) => `  ${paint.warn('!')} ${word}: ${message}`),
    notes.failure === undefined ? [] : failureLines(notes.failure, style),
    notes.refusals.flatMap(({ guard, message, fix }) => [
      `  ${guard === 'confirm' ? paint.warn('!') : paint.bad('✖')} ${message}`,
      `    ${paint.faint(fix)}`,
    ]),
    notes.changingHash.length > 0
      ? [
          `  ${paint.warn('!')} The plan hash depends on ${notes.changingHash.join(', ')}. Set ${notes.changingHash.length === 1 ? 'it to the value' : 'them to the values'} the run will use before you approve the plan.`,
        ]
      : [],
  ];
  return sections.flatMap((lines) => (lines.length > 0 ? [...wrapLines(lines, style.width), ''] : [])).join('\n');
}

/** How long the judged window is; undefined where the script decides. */
function windowOf({ steady, load }: Plan): Milliseconds | undefined {
  return steady === undefined ? load?.duration : steady.to - steady.from;
}

function failureLines({ message, lines, fix }: NonNullable<PlanNotes['failure']>, { paint }: TableStyle): string[] {
  const fixes = fix === undefined ? [] : [`    ${paint.faint(fix)}`];
  return [`  ${paint.bad('✖')} ${message}`, ...lines.map((line) => `    ${line.replaceAll('\t', '  ')}`), ...fixes];
}

/** The reason in full stands below, where it is one that a run would end with. */
function whyUnknown(foreseen: Unforeseen): string {
  return foreseen.error === undefined ? `unknown, because ${foreseen.because}` : 'unknown, because of what stands in the way (below)';
}

function targetLines({ target: planned }: Plan, { target }: PlanNotes): string[] {
  if (target?.colour !== undefined) {
    const { colour } = target;
    const probed = target.health === undefined ? [] : [`health: ${target.health}`];
    return [`${colour.loaded}, ${target.url}; ${colour.live} is live (${colour.liveUrl})`, ...probed];
  }
  const probed = planned.health === undefined ? [] : [`health: ${planned.health}`];
  if (!('colours' in planned)) return [planned.url, ...probed];
  return [
    `blue: ${planned.colours.blue}`,
    `green: ${planned.colours.green}`,
    ...probed,
    'loads whichever is not live, found by:',
    `  ${lookUpInWords(planned.live)}`,
  ];
}

function lookUpInWords({ url, header, command, every }: LiveLookUp): string {
  const where = header === undefined ? 'its JSON' : `the header ${header}`;
  const how = url === undefined ? `what \`${command ?? ''}\` prints` : `GET ${url}, ${where}`;
  return `${how}; again every ${formatDuration(every)} while the load is on`;
}

/** Its hash is that of the file alone; what it imports and opens is in the plan's, too. */
function scriptLines({ script, scriptFiles: [own, ...others], load }: Plan, foreseen: Foreseen | undefined): string[] {
  const more = others.length === 0 ? '' : `, with ${counted(others.length, 'more file')}`;
  const file = own === undefined ? script : `${script} (sha256 ${own.sha256.slice(0, 12)}${more})`;
  const unknown = load !== undefined && foreseen !== undefined && 'because' in foreseen;
  return [file, ...(unknown ? [`its thresholds and functions: ${whyUnknown(foreseen)}`] : [])];
}

function seedLines({ seed }: Plan): string[] {
  const count = (step: PlannedSeed) => (step.kind === 'rows' ? counted(step.rows, 'row') : counted(step.rows, 'entry', 'entries'));
  return seed.map((step) => `${step.name}: ${count(step)} into ${seedInWords(step)}`);
}

function cleanupLines({ cleanup, seed }: Plan, { seeded: takesSeeded }: PlanNotes): string[] {
  const seeded = takesSeeded ? seed.map((step) => `${step.name}: ${seedInWords(step)}, where still as seeded`) : [];
  return [...(cleanup?.entries ?? []).map(cleanupInWords), ...seeded];
}

/** What k6's own outputs cost. */
function ownOutputLines({ k6Outputs = [] }: Plan): string[] {
  if (k6Outputs.length === 0) return [];
  return [`k6 writes ${k6Outputs.join(', ')} in each runner's folder: that takes much of the load it can make (json: about 39%)`];
}

function loadLines({ load, scale, steady, iterationsPerSecond, requestsPerSecond }: Plan, foreseen: Foreseen | undefined): string[] {
  if (load === undefined) return ownLoadLines(foreseen, scale);
  const ramp = load.ramp === undefined ? '' : `, ramp ${formatDuration(load.ramp)} up and down`;
  const model = load.rate === undefined ? '' : ' (open model)';
  const judged = steady === undefined ? 'judged: the whole test' : `judged: ${formatDuration(steady.from)}–${formatDuration(steady.to)}`;
  const rates = [
    ...(iterationsPerSecond === undefined ? [] : [`${formatRate(iterationsPerSecond).replace('/s', ' iterations/s')}${model}`]),
    ...(requestsPerSecond === undefined ? [] : [formatRate(requestsPerSecond).replace('/s', ' requests/s')]),
  ];
  return [
    `${counted(load.vus, 'VU')} for ${formatDuration(load.duration)}${ramp}; ${judged}`,
    ...(rates.length > 0 ? [rates.join(', ')] : []),
  ];
}

/** A load of the script's own, as k6 reads it. */
function ownLoadLines(foreseen: Foreseen | undefined, scale: Share | undefined): string[] {
  const whose = scale === undefined ? "the script's own" : `${trimNumber(scale * 100, 2)}% of the script's own`;
  if (foreseen === undefined) return [whose];
  if ('because' in foreseen) return [`${whose}: ${whyUnknown(foreseen)}`];
  const { vus, durationMs, iterationsPerSecond: rate, scenarios } = foreseen.load;
  const rates = rate === undefined ? '' : `, ${formatRate(rate).replace('/s', ' iterations/s')} at most`;
  return [`${whose}: up to ${counted(vus, 'VU')} for ${formatDuration(durationMs)}${rates}`, ...scenarios.map(scenarioLine)];
}

function scenarioLine({ name, executor, vus, startMs, durationMs, iterations, rate, open }: Scenario): string {
  const work = open && rate !== undefined ? `${formatRate(rate)}, up to ${counted(vus, 'VU')}` : counted(vus, 'VU');
  const end =
    iterations === undefined
      ? `for ${formatDuration(durationMs)}`
      : `${counted(iterations, 'iteration')} within ${formatDuration(durationMs)}`;
  const start = startMs === 0 ? '' : `, from ${formatDuration(startMs)} on`;
  return `${name}: ${executor}, ${work}, ${end}${start}`;
}

/** The script's own thresholds, in k6's words. */
function scriptLimits(foreseen: Foreseen | undefined): string[] {
  if (foreseen === undefined || 'because' in foreseen) return [];
  const thresholds = Object.entries(scriptThresholds(foreseen.inspection.options.thresholds));
  return thresholds.flatMap(([metric, list]) =>
    list.map(({ source, abortOnFail }) => `${metric}: ${source} (script${abortOnFail ? ', aborts' : ''})`),
  );
}

const shownSegments = 4;

function segments({ runners }: Plan): string {
  const shown = runners.slice(0, shownSegments).map(({ segment }) => segment);
  return [...shown, ...(runners.length > shownSegments ? [`… ${formatCount(runners.length)} equal parts`] : [])].join('  ');
}

/** The total stands beside the throughput that the SLA asks for. */
function endpointRows({ endpoints, requestsPerSecond, criteria }: Plan): string[][] {
  const rows = endpoints.map(({ name, perSecond, writes }) => [
    name,
    perSecond === undefined ? '?' : formatRate(perSecond),
    writes ? 'writes' : '',
  ]);
  if (requestsPerSecond === undefined) return rows;
  const throughput = criteria.find(({ metric, stat }) => metric === 'http_reqs' && stat === 'rate');
  return [...rows, ['all requests', formatRate(requestsPerSecond), throughput === undefined ? '' : `SLA: ${formatLimit(throughput)}`]];
}
