import { basename, dirname, join } from 'node:path';
import { shownPath } from '../core/shown-path.js';
import type { Problem } from './document/problem.js';
import { type Assignment, parseDotenv } from './dotenv.js';
import { type Expansion, expand } from './expand.js';
import type { ProfileFiles } from './files.js';

/** What a source has of a variable, and what keeps it from being read. */
export interface FoundVariable {
  readonly value: string;
  readonly problems: readonly Problem[];
}

/** One place in which variables are looked up. */
export interface VariableSource {
  /** `environment`, or the file as shown. */
  readonly from: string;
  readonly names: readonly string[];
  get(name: string): FoundVariable | undefined;
}

/** Where variables are looked up, in this order: the first that has one wins. */
export interface VariableSources {
  readonly list: readonly VariableSource[];
  /** What is wrong with the files, whoever wants something of them. */
  readonly problems: readonly Problem[];
  /** Every file that was looked for, as shown. */
  readonly looked: readonly { readonly file: string; readonly found: boolean }[];
}

/** What decides where variables are looked up. */
export interface VariablePlaces {
  readonly environment: string;
  /** The profile's file, absolute. */
  readonly profile: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly files: ProfileFiles;
}

/**
 * The environment; then `.env.<environment>` and `.env` of the working directory, of the profile's folder, and of the folder
 * above it where that one is called `profiles`. What the files refer to is looked up in the same order.
 */
export function variableSources(places: VariablePlaces): VariableSources {
  const { env, cwd, files } = places;
  const looked = filesToLookFor(places).map((path) => ({ path, file: shownPath(path, cwd), text: files.readFile(path) }));
  const read = looked.flatMap(({ path, file, text }) => {
    if (text === undefined) return [];
    const { assignments, problems } = parseDotenv({ name: file, path, text, private: true });
    return [{ file, assignments, problems }];
  });
  const assigned = (name: string) => read.map(({ assignments }) => assignments.get(name)).find((one) => one !== undefined);
  const look = (name: string, under: readonly Assignment[]): Expansion | undefined => {
    const value = env[name];
    const one = assigned(name);
    if (value !== undefined || one === undefined) return value === undefined ? undefined : { value, problems: [] };
    return under.includes(one) ? { value: '', problems: [`\`\${${name}}\` refers to itself`] } : expanded(one, under);
  };
  const expanded = (one: Assignment, under: readonly Assignment[] = []): Expansion => {
    if (one.problem !== undefined) return { value: '', problems: [one.problem] };
    return one.escapes === undefined
      ? { value: one.text, problems: [] }
      : expand(one.text, one.escapes, (name) => look(name, [...under, one]));
  };
  const inFile = ({ file, assignments }: (typeof read)[number]): VariableSource => ({
    from: file,
    names: [...assignments.keys()],
    get: (name) => {
      const one = assignments.get(name);
      if (one === undefined) return undefined;
      const { value, problems } = expanded(one);
      return { value, problems: problems.map((message) => ({ place: one.place, message })) };
    },
  });
  const own = (name: string) => (env[name] === undefined ? undefined : { value: env[name], problems: [] });
  return {
    list: [{ from: 'environment', names: [], get: own }, ...read.map(inFile)],
    problems: read.flatMap(({ problems }) => problems),
    looked: looked.map(({ file, text }) => ({ file, found: text !== undefined })),
  };
}

function filesToLookFor({ environment, profile, cwd }: VariablePlaces): string[] {
  const folder = dirname(profile);
  const folders = [cwd, folder, ...(basename(folder) === 'profiles' ? [dirname(folder)] : [])];
  const names = [...(/^[a-z0-9-]+$/.test(environment) ? [`.env.${environment}`] : []), '.env'];
  return [...new Set(folders)].flatMap((each) => names.map((name) => join(each, name)));
}
