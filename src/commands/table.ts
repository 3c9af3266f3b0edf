import type { CommandModule } from './call/types.js';

/** A subcommand as `loadctl --help` shows it; its module is loaded when it is called. */
export interface TableEntry {
  readonly name: string;
  /** What follows the name: `[RUN]`. */
  readonly usage?: string;
  readonly summary: string;
  /** Whether it reads a profile, and takes the options that say which. */
  readonly ofProfile?: true;
  /** Whether loadctl types it, and no person: help does not list it. */
  readonly isOwn?: true;
  readonly load: () => Promise<{ readonly command: CommandModule }>;
}

/** Every subcommand, in the order in which one meets them. */
export const commands: readonly TableEntry[] = [
  { name: 'init', summary: 'write first profiles and a script into this folder', load: () => import('./init.js') },
  {
    name: 'doctor',
    summary: 'check what a run needs, with the fix beside what is missing',
    ofProfile: true,
    load: () => import('./doctor.js'),
  },
  { name: 'plan', summary: 'show what a run will do, without doing it', ofProfile: true, load: () => import('./plan.js') },
  { name: 'seed', summary: 'insert the test data', ofProfile: true, load: () => import('./seed.js') },
  {
    name: 'run',
    usage: '[URL]',
    summary: 'run k6 from many runners as one test, and judge it',
    ofProfile: true,
    load: () => import('./run.js'),
  },
  { name: 'verify', usage: '[RUN]', summary: 'judge a run against its SLA again', ofProfile: true, load: () => import('./verify.js') },
  { name: 'report', usage: '[RUN]', summary: 'write the page of a run, report.html', load: () => import('./report.js') },
  {
    name: 'compare',
    usage: '[RUN…]',
    summary: 'report whether runs are worse than earlier ones',
    load: () => import('./compare.js'),
  },
  { name: 'cleanup', summary: 'remove the test data, with a receipt', ofProfile: true, load: () => import('./cleanup.js') },
  { name: 'test', summary: 'seed, run, verify and cleanup, in one go', ofProfile: true, load: () => import('./test.js') },
  {
    name: 'runs',
    ofProfile: true,
    usage: '[rm RUN…]',
    summary: 'list the runs of this folder, or remove some',
    load: () => import('./runs.js'),
  },
  { name: 'attach', ofProfile: true, usage: '[RUN]', summary: 'show a running run live', load: () => import('./attach.js') },
  { name: 'stop', ofProfile: true, usage: '[RUN]', summary: 'end a running run', load: () => import('./stop.js') },
  {
    name: 'resend',
    usage: '[RUN]',
    summary: 'send what outputs of a run could not',
    ofProfile: true,
    load: () => import('./resend.js'),
  },
  {
    name: 'completion',
    usage: 'SHELL',
    summary: 'print the script by which bash, zsh or fish complete loadctl',
    load: () => import('./completion.js'),
  },
  { name: 'conduct', summary: 'conduct a run that is handed in', isOwn: true, load: () => import('./conduct.js') },
];

/** Those that people type. */
export const typedCommands = commands.filter(({ isOwn }) => isOwn !== true);

/** What help lists under one heading, in the order in which one needs it. */
const headed: readonly { readonly heading: string; readonly names: readonly string[] }[] = [
  { heading: 'First steps', names: ['init', 'doctor', 'plan'] },
  { heading: 'A test, and its phases', names: ['test', 'seed', 'run', 'verify', 'cleanup'] },
  { heading: 'Results', names: ['report', 'compare', 'runs'] },
];
const groups = [...headed, { heading: 'Others', names: othersThan(headed.flatMap(({ names }) => names)) }].map(({ heading, names }) => ({
  heading,
  entries: names.flatMap((name) => typedCommands.find((one) => one.name === name) ?? []),
}));

function othersThan(names: readonly string[]): string[] {
  return typedCommands.map(({ name }) => name).filter((name) => !names.includes(name));
}

/** What `loadctl --help` says. Made without any library: it is what people wait for most often. `docs` is where the documentation is. */
export function topLevelHelp(docs: string): string {
  const width = Math.max(...typedCommands.map(({ name, usage }) => `${name} ${usage ?? ''}`.length));
  const line = (left: string, right: string) => `  ${left.padEnd(width)}  ${right}\n`;
  const listed = groups.map(
    ({ heading, entries }) => `${heading}:\n${entries.map(({ name, usage = '', summary }) => line(`${name} ${usage}`, summary)).join('')}`,
  );
  const ofProfiles = groups.flatMap(({ entries }) => entries.filter(({ ofProfile }) => ofProfile)).map(({ name }) => name);
  return `Usage: loadctl COMMAND [options]

Load tests on stock k6: seed, run as one fleet, verify against an SLA, clean up with proof.

${listed.join('\n')}
Options of ${ofProfiles.slice(0, -1).join(', ')} and ${ofProfiles.at(-1)}:
${line('--env NAME', 'the environment: profiles/NAME.yaml')}
Options of every command:
${line('--json', 'print JSON to stdout, progress to stderr')}\
${line('--quiet', 'only results, warnings and errors')}\
${line('--no-color', 'no colours (NO_COLOR does the same)')}\
${line('-h, --help', 'what a command does and takes, with examples')}
Without a command:
${line('-v, --version', 'the version of loadctl')}
Examples:
  loadctl init                     a first profile and script, here
  loadctl run http://127.0.0.1:80  a first look at one page: 10 VUs, 30 s
  loadctl plan --env dev           what a run will do
  loadctl test --env dev           the whole test, from seed to cleanup
  loadctl run --env dev --json     the verdict as JSON

Documentation: ${docs}
`;
}
