import { existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { LoadctlError } from '../core/errors.js';
import { secretsInUrl } from '../core/secrets.js';
import { examples, textOption, withCommonOptions } from './call/options.js';
import type { Call, CommandModule, Outcome } from './call/types.js';
import type { Known } from './first/answers.js';
import { defaultUrl, type Flags, flagsAlone } from './first/ask-flags.js';
import type { Asker } from './first/asker.js';
import { checkProfiles, type FirstFile, firstFiles, profileFiles, refuseExisting, workflowFile, writeFiles } from './first/files.js';
import { readDatabase } from './first/read-database.js';
import { readScript } from './first/read-script.js';
import { cacheProblem, checkedUrl, databaseProblem, placeOf } from './first/urls.js';

/** loadctl init */
export const command: CommandModule = {
  describe: (command) =>
    withCommonOptions(command)
      .option('--url <URL>', `where the service under test answers (${defaultUrl})`)
      .option('--script <FILE>', 'a k6 script of yours; its scenarios and thresholds are read')
      .option('--db <URL>', 'a Postgres: seed and cleanup are proposed from its catalog, which is only read')
      .option('--tables <NAMES>', 'the tables that need test rows, with commas between them')
      .option('--redis <URL>', 'a Redis that the service uses')
      .option('--no-ci', 'no GitHub workflow')
      .option('--yes', 'ask nothing: flags and defaults answer, and --db may be read')
      .option('--force', 'overwrite files that are there already')
      .description(
        'Writes first profiles (dev, staging, prod), a k6 script and a CI workflow into this folder; what loadctl cannot know\nstands there as a comment that begins with `?`. On a terminal it asks for what no flag says. Passwords are never written.',
      )
      .addHelpText(
        'after',
        examples([
          ['loadctl init', 'asked on a terminal; elsewhere for a service at the usual place'],
          ['loadctl init --url http://127.0.0.1:3000', 'for one elsewhere'],
          ['loadctl init --script load/shop.js --db postgres://shop@127.0.0.1/shop --yes', 'from a script and a schema, without questions'],
        ]),
      ),
  run: async (call) => {
    const stop = new AbortController();
    const stopListening = call.shell.onInterrupt(() => stop.abort());
    try {
      return await initialise(call, stop.signal);
    } finally {
      stopListening();
    }
  },
};

async function initialise(call: Call, signal: AbortSignal): Promise<Outcome> {
  const { shell, options } = call;
  const isForced = options.force === true;
  checkFlags(flagsOf(call));
  if (!isForced) refuseExisting(profileFiles, shell.cwd);
  const asker = await askerOf(call, signal);
  const known = await everythingKnown(call, asker, signal);
  const files = firstFiles(known, shell.cwd);
  const whole = files.filter((file) => !file.extends && (file.name.includes('/') || !file.name.startsWith('.')));
  if (!isForced)
    refuseExisting(
      whole.map(({ name }) => name),
      shell.cwd,
    );
  checkProfiles(files, shell);
  if (signal.aborted || !(await asker.write(files.map(({ name }) => name)))) throw new LoadctlError('interrupted', 'Nothing was written.');
  await writeFiles(files, shell.cwd);
  return outcomeOf(files, known, shell.cwd);
}

/** The path from the root of the git repository that this folder lies in; undefined where it is that root, or in none. */
function belowRoot(folder: string): string | undefined {
  for (let at = folder; at !== dirname(at); at = dirname(at)) if (existsSync(join(at, '.git'))) return relative(at, folder) || undefined;
  return undefined;
}

/** GitHub looks for workflows at the root of a repository only. */
function workflowNote(files: readonly FirstFile[], folder: string): string[] {
  const below = files.some(({ name }) => name === workflowFile) ? belowRoot(folder) : undefined;
  if (below === undefined) return [];
  return [
    '',
    `GitHub reads workflows at the root of the repository alone: move ${workflowFile} there, with \`working-directory: ${below}\` for its steps.`,
  ];
}

/** What is wrong in any folder is said first. Throws `usage`. */
function checkFlags({ url, tables, db, yes }: Flags): void {
  if (url !== undefined) checkedUrl(url);
  if (tables === undefined || db !== undefined || !yes) return;
  throw new LoadctlError('usage', '--tables names tables of a database, and no --db says which', {
    hint: 'Add --db URL, or leave it out.',
  });
}

function flagsOf({ options }: Call): Flags {
  const names = textOption(options, 'tables');
  return {
    url: textOption(options, 'url'),
    script: textOption(options, 'script'),
    db: textOption(options, 'db'),
    redis: textOption(options, 'redis'),
    tables: names?.split(',').map((name) => name.trim()),
    ci: options.ci !== false,
    yes: options.yes === true,
  };
}

/** Loaded where it is needed: questions take a library. */
async function askerOf(call: Call, signal: AbortSignal): Promise<Asker> {
  const { shell, style } = call;
  const flags = flagsOf(call);
  const isAsked = shell.keyboard !== undefined && style.animated && !style.json && !style.quiet && !flags.yes;
  if (!isAsked) return flagsAlone(flags);
  const { personAtTerminal } = await import('./first/ask-person.js');
  return personAtTerminal(shell, flags, signal);
}

/** Asks, and looks where it may. */
async function everythingKnown(call: Call, asker: Asker, signal: AbortSignal): Promise<Known> {
  const { clock } = call.shell;
  const url = checkedUrl(await asker.url());
  const named = await asker.script();
  const script = named === undefined ? undefined : await readScript(call, named, url);
  const dbUrl = await asker.db();
  if (dbUrl !== undefined) call.redact.hide(secretsInUrl(dbUrl));
  const db = dbUrl === undefined ? undefined : placeOf('--db', dbUrl, { problem: databaseProblem, variable: 'DB_PASSWORD' });
  const proposal = dbUrl === undefined ? undefined : await readDatabase(asker, dbUrl, { clock, signal });
  const redisUrl = await asker.redis();
  if (redisUrl !== undefined) call.redact.hide(secretsInUrl(redisUrl));
  const redis = redisUrl === undefined ? undefined : placeOf('--redis', redisUrl, { problem: cacheProblem, variable: 'REDIS_PASSWORD' });
  const ci = await asker.ci();
  return {
    url,
    ci,
    ...(script === undefined ? {} : { script }),
    ...(db === undefined ? {} : { db }),
    ...(proposal === undefined ? {} : { proposal }),
    ...(redis === undefined ? {} : { redis }),
  };
}

function outcomeOf(files: readonly FirstFile[], known: Known, folder: string): Outcome {
  const { db, redis, proposal, url } = known;
  const written = files.filter((file) => !file.extends).map(({ name }) => name);
  const extended = files.filter((file) => file.extends).map(({ name }) => name);
  const isSeeded = (proposal?.sets.length ?? 0) > 0;
  const next = ['loadctl doctor --env dev', 'loadctl plan --env dev', isSeeded ? 'loadctl test --env dev' : 'loadctl run --env dev'];
  const variables = [db, redis].flatMap((place) => place?.variable ?? []);
  const open = files.flatMap(({ name, content }) => {
    const count = content.split('\n').filter((line) => /# \?/.test(line)).length;
    return name.startsWith('profiles/') && count > 0 ? [`${name}: ${count}`] : [];
  });
  const lines = [
    `Written: ${written.join(', ')}`,
    ...(extended.length === 0 ? [] : [`Lines added: ${extended.join(', ')}`]),
    ...(open.length === 0 ? [] : ['', `Yours to decide, at comments that begin with \`?\`: ${open.join(', ')}`]),
    ...workflowNote(files, folder),
    '',
    `Next, with your service up at ${url}${variables.length === 0 ? '' : ` and ${variables.join(' and ')} in .env`}:`,
    ...next.map((line) => `  ${line}`),
  ];
  return { reasons: [], data: { written, extended, variables, next }, text: `${lines.join('\n')}\n` };
}
