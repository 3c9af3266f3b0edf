import { shellQuote } from '../../core/command.js';
import { isSecretName, secretsInUrl } from '../../core/secrets.js';
import { nearest } from '../../profile/words/near.js';

/** A call that loadctl cannot read. */
export interface Misread {
  /** The command and the words after it, as typed. */
  readonly name: string;
  readonly words: readonly string[];
  /** The options that the command has: `--env`, `-e`. */
  readonly options: readonly string[];
  /** The environments that there are here. */
  readonly environments: readonly string[];
}

/** What was probably meant. */
export interface Meaning {
  /** The part that should be another one: `--env dev`. */
  readonly part: string;
  /** The whole command, for pasting; a secret in it is `…`. */
  readonly command: string;
}

/** What k6 and others call what loadctl changes by `--set`: each takes a value. */
const setByFlag: Readonly<Record<string, string>> = {
  '--vus': 'workload.vus',
  '-u': 'workload.vus',
  '--duration': 'workload.duration',
  '-d': 'workload.duration',
  '--rate': 'workload.rate',
  '--ramp': 'workload.ramp',
  '--script': 'workload.script',
  '--url': 'target.url',
  '--target': 'target.url',
  '--runners': 'runners.count',
  '--backend': 'runners.backend',
  '--iterations': 'workload.options.iterations',
  '-i': 'workload.options.iterations',
  '--rps': 'workload.options.rps',
  '--user-agent': 'workload.options.userAgent',
};

/** Options that there were, and what they are called now. */
const formerOptions: Readonly<Record<string, string>> = { '--users': '--seeded' };

/** An unknown option, read as what it may stand for. */
export function meantByOption(call: Misread, option: string): Meaning | undefined {
  const { words, options } = call;
  const at = words.findIndex((word) => word === option || word.startsWith(`${option}=`));
  if (at < 0) return undefined;
  const [, inline] = /^[^=]+=(.*)$/s.exec(words[at] ?? '') ?? [];
  const value = inline ?? words[at + 1];
  const length = inline === undefined ? 2 : 1;
  const path = options.includes('--set') ? pathOf(option, value) : undefined;
  if (path !== undefined && value !== undefined) return meaning(call, at, length, ['--set', path]);
  const long = option.startsWith('--') ? options.filter((known) => known.startsWith('--')) : [];
  const former = options.find((known) => known === formerOptions[option]);
  const near = former ?? nearest(option, long) ?? long.find((known) => option.startsWith(known));
  return near === undefined ? undefined : meaning(call, at, 1, [inline === undefined ? near : `${near}=${inline}`]);
}

function pathOf(option: string, value: string | undefined): string | undefined {
  const [, tag, of] = option === '--tag' ? (/^([^=]+)=(.*)$/s.exec(value ?? '') ?? []) : [];
  if (tag !== undefined) return `workload.options.tags.${tag}=${of}`;
  return setByFlag[option] === undefined ? undefined : `${setByFlag[option]}=${value}`;
}

/** A word that no argument is there for, read as what it may stand for. */
export function meantByWord(call: Misread, word: string): Meaning | undefined {
  const { name, words, options, environments } = call;
  if (name === 'run' && isAddress(word)) return meaning(call, words.indexOf(word), 1, [`http://${word}`]);
  const at = words.indexOf(word);
  const [option = '', before = ''] = [words[at - 2], words[at - 1]];
  if ((option === '--set' || option === '-e') && !before.includes('=')) return meaning(call, at - 2, 3, [option, `${before}=${word}`]);
  const long = `-${before}`;
  if (/^-[a-z]{2,}$/.test(before) && options.includes(long)) return meaning(call, at - 1, 2, [long, word]);
  if (!options.includes('--env')) return undefined;
  const isGiven = words.some((each) => /^--(env|profile|plan)(=|$)/.test(each));
  const environment = environments.includes('dev') ? 'dev' : (environments[0] ?? 'dev');
  const profile = isGiven ? [] : ['--env', environment];
  if (/\.(js|ts|mjs|cjs|tar)$/.test(word)) return meaning(call, at, 1, [...profile, '--set', `workload.script=${word}`]);
  if (/^[\w."-]+\.[\w."-]+=/.test(word)) return meaning(call, at, 1, ['--set', word]);
  if (/^[A-Z_][A-Z0-9_]*=/.test(word)) return meaning(call, at, 1, ['-e', word]);
  if (isGiven) return undefined;
  const [, own = ''] = /^(?:\.\/)?profiles\/([\w-]+)\.ya?ml$/.exec(word) ?? [];
  if (environments.includes(own)) return meaning(call, at, 1, ['--env', own]);
  return meaning(call, at, 1, [/\.ya?ml$|\//.test(word) ? '--profile' : '--env', word]);
}

/** A URL without its scheme, as a browser takes it: `localhost:8080/carts`. */
function isAddress(word: string): boolean {
  return /^(?:[\w.-]+|\[[\da-f:]+\])(?::\d{1,5}(?:[/?].*)?)$/i.test(word) || /^(?:localhost|\d+(?:\.\d+){3})(?:[/?].*)?$/i.test(word);
}

/** The command that an unknown one may stand for. */
export function meantByCommand(name: string, known: readonly string[]): string | undefined {
  return others[name] ?? nearest(name, [...known]) ?? known.find((one) => name.startsWith(`${one}-`));
}

/** What other tools, and people, call what loadctl does. */
const others: Readonly<Record<string, string>> = {
  version: '--version',
  start: 'run',
  exec: 'run',
  validate: 'plan',
  check: 'plan',
  lint: 'plan',
  inspect: 'plan',
  show: 'plan',
  list: 'runs',
  ls: 'runs',
  status: 'runs',
  history: 'runs',
  rm: 'runs rm',
  delete: 'runs rm',
  kill: 'stop',
  abort: 'stop',
  cancel: 'stop',
  clean: 'cleanup',
  teardown: 'cleanup',
  watch: 'attach',
  logs: 'attach',
  new: 'init',
  create: 'init',
  report: 'verify',
  judge: 'verify',
};

/** A call with some of its words replaced. */
function meaning({ name, words }: Misread, at: number, length: number, instead: readonly string[]): Meaning {
  const all = [...words.slice(0, at), ...instead, ...words.slice(at + length)];
  return { part: shown(instead), command: `loadctl ${name} ${shown(all)}`.trimEnd() };
}

/** Words as one types them; what may be a secret is left out. */
export function shown(words: readonly string[]): string {
  return words.map((word) => (hides(word) ? `${/^[^=]*=/.exec(word)?.[0] ?? ''}…` : shellQuote(word))).join(' ');
}

/** Whether a word is what somebody gave a secret's name, with a blank in the place of the `=`. */
export function isSecretValue({ words }: Pick<Misread, 'words'>, word: string): boolean {
  return isSecretName(words[words.indexOf(word) - 1] ?? '');
}

function hides(word: string): boolean {
  const name = /^([^=]*)=/.exec(word)?.[1] ?? '';
  return isSecretName(name) || secretsInUrl(word).length > 0;
}
