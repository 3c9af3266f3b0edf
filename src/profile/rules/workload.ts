import { trimNumber } from '../../core/quantities.js';
import type { Profile } from '../sections/schema.js';
import { allOf, didYouMean, nearest } from '../words/near.js';
import { inWords } from '../words/words.js';
import { type Broken, keysOf, type Rule } from './types.js';

type Workload = Profile['workload'];

/** Words of the workload that only make sense together, or apart. */
export const workloadRule: Rule = ({ profile: { workload, users, runners }, data }) => {
  if (!workload) return [];
  return [
    ...load(workload),
    ...time(workload),
    ...shares(workload, data, ['mix', 'endpoints']),
    ...shares(workload, data, ['sessions', 'steps']),
    ...steps(workload),
    ...ownVariables(workload),
    ...ownOutputs(workload),
    ...(users ? expiry(workload, users) : []),
    ...(runners ? share(workload, runners) : []),
  ];
};

const at = (key: string, message: string, ...lacks: string[]): Broken => ({
  path: ['workload', key],
  on: 'key',
  message,
  lacks: lacks.map((name) => ['workload', name]),
});

function load({ vus, duration, rate, pacing, scale }: Workload): Broken[] {
  const broken: Broken[] = [];
  if (scale !== undefined && vus !== undefined)
    broken.push(at('scale', '`scale` is a part of the script’s own load, and `vus` gives another one: keep one of them'));
  if (scale === 0) broken.push({ path: ['workload', 'scale'], message: 'expected a percentage above 0% such as `10%`' });
  if (rate !== undefined && pacing !== undefined) {
    broken.push(at('rate', '`rate` (open model) and `pacing` (closed model) exclude each other; `pacing: null` removes an inherited one'));
  }
  if (pacing === 0) broken.push({ path: ['workload', 'pacing'], message: 'expected a duration above 0 such as `1s`' });
  if (duration === 0) broken.push({ path: ['workload', 'duration'], message: 'expected a duration above 0 such as `10m`' });
  if (vus !== undefined && duration === undefined) broken.push(at('vus', '`vus` needs `duration`: how long the load lasts', 'duration'));
  if (rate !== undefined && duration === undefined) broken.push(at('rate', '`rate` needs `duration`: how long the load lasts', 'duration'));
  if (rate !== undefined && vus === undefined)
    broken.push(at('rate', '`rate` needs `vus`: how many iterations may be under way at once', 'vus'));
  if (duration !== undefined && vus === undefined && rate === undefined)
    broken.push(at('duration', '`duration` needs `vus`: how many virtual users there are', 'vus'));
  return broken;
}

function time({ duration, ramp, steady }: Workload): Broken[] {
  const broken: Broken[] = [];
  if (ramp !== undefined && duration === undefined) broken.push(at('ramp', '`ramp` needs `duration` and `vus`', 'duration'));
  if (ramp !== undefined && duration !== undefined && 2 * ramp >= duration) {
    broken.push({
      path: ['workload', 'ramp'],
      message: `expected a shorter ramp: up and down take ${inWords(2 * ramp)} of ${inWords(duration)}`,
    });
  }
  if (steady && steady.from >= steady.to)
    broken.push({ path: ['workload', 'steady'], message: 'expected a part that ends after it begins such as `30s..9m30s`' });
  if (steady && duration !== undefined && steady.to > duration) {
    broken.push({ path: ['workload', 'steady'], message: `expected a part of the test, which ends at ${inWords(duration)}` });
  }
  return broken;
}

/** Shares make a whole, and their names are known. */
function shares(workload: Workload, data: unknown, [what, names]: ['mix', 'endpoints'] | ['sessions', 'steps']): Broken[] {
  const known = Object.keys(workload[names]);
  const entries = Object.entries(workload[what]);
  const sum = entries.reduce((total, [, value]) => total + value, 0);
  const complete = keysOf(data, 'workload', what).length === entries.length;
  const unknown = known.length === 0 ? [] : entries.filter(([name]) => !known.includes(name));
  return [
    ...(complete && entries.length > 0 && Math.abs(sum - 1) > 1e-9
      ? [at(what, `\`${what}\` adds up to ${trimNumber(sum * 100, 4)}%, not 100%`)]
      : []),
    ...unknown.map(
      ([name]): Broken => ({
        path: ['workload', what, name],
        on: 'key',
        message: `\`${name}\` is not in \`workload.${names}\`, which has ${allOf(known)}${didYouMean(name, known)}`,
      }),
    ),
  ];
}

/** `read` draws from the mix; anything else is a request's name. */
function steps({ steps, mix }: Workload): Broken[] {
  return Object.entries(steps).flatMap(([session, names]) =>
    names.flatMap((name, index): Broken[] => {
      const path = ['workload', 'steps', session, index];
      if (name === 'read' && Object.keys(mix).length === 0)
        return [{ path, message: '`read` draws from `workload.mix`, which is empty', lacks: [['workload', 'mix']] }];
      const misspelled = !name.includes(' ') && name !== 'read' && nearest(name, ['read']) !== undefined;
      return misspelled
        ? [{ path, message: `expected \`read\` or a request name such as \`POST /reservations\`, not \`${name}\`; did you mean \`read\`?` }]
        : [];
    }),
  );
}

/** What guards and cleanup rely on is not the script's environment to change. */
const reserved: Readonly<Record<string, string>> = {
  BASE_URL: 'set `target.url`, where guards see it (for one run: `--set target.url=…`)',
  LOADCTL_VIRTUAL_USER_PREFIX: 'cleanup finds what the test wrote by it; `cleanup.prefix` says how it begins',
  LOADCTL_UUID_PREFIXES: 'cleanup finds what the test wrote by them; `cleanup.rows` says which',
};

function ownVariables({ env }: Workload): Broken[] {
  return Object.entries(reserved).flatMap(([name, why]): Broken[] =>
    Object.hasOwn(env, name) ? [{ path: ['workload', 'env', name], on: 'key', message: `\`${name}\` is loadctl’s to set: ${why}` }] : [],
  );
}

/** Names that loadctl's own files of a runner have. */
const taken: readonly string[] = ['summary.json', 'facts.json', 'log', 'log-end'];

/** Only files: what k6 sends elsewhere is each runner's part, and nobody puts the parts together. */
function ownOutputs({ outputs }: Workload): Broken[] {
  return outputs.flatMap((output, index): Broken[] => {
    const path = ['workload', 'outputs', index];
    const [, file] = /^(?:json|csv)=([\w-][\w.-]{0,99})$/.exec(output) ?? [];
    const isTwice = outputs.findIndex((other) => other.slice(other.indexOf('=')) === output.slice(output.indexOf('='))) < index;
    if (file !== undefined && !taken.includes(file) && !file.endsWith('.gz') && !isTwice) return [];
    return [{ path, message: whyNot(output, file) }];
  });
}

function whyNot(output: string, file: string | undefined): string {
  if (/^cloud\b/.test(output))
    return '`cloud` is refused: each runner would be a test of its own there, and what it measures would leave by another way';
  if (file?.endsWith('.gz')) return 'expected a file that is not packed: it is kept without secrets, line by line';
  if (file !== undefined) return `expected another name: \`${file}\` is taken`;
  return 'expected `json=FILE` or `csv=FILE`, a name without folders; numbers go to databases by the section `outputs`';
}

function expiry({ duration }: Workload, users: NonNullable<Profile['users']>): Broken[] {
  if (users.strategy !== 'bypass' || duration === undefined || users.expires > duration) return [];
  return [{ path: ['users', 'expires'], message: `expected a time longer than the test, which takes ${inWords(duration)}` }];
}

function share({ vus }: Workload, { count }: Profile['runners']): Broken[] {
  if (vus === undefined || count <= vus) return [];
  return [{ path: ['runners', 'count'], message: `expected at most as many runners as virtual users, of which there are ${vus}` }];
}
