import { resolve } from 'node:path';
import { LoadctlError } from '../core/errors.js';
import { parsePercent } from '../core/quantities.js';
import { shownPath } from '../core/shown-path.js';
import { addToBaseline, readBaseline } from '../phases/compare/baseline.js';
import { type Compared, compareWithEarlier, isWorse, usualMatters } from '../phases/compare/compare-runs.js';
import { comparedResult } from '../phases/report/read-result.js';
import { comparisonData, renderComparison } from '../reporters/compare-table.js';
import { counted } from '../reporters/sentences/words.js';
import { examples, textOption, withCommonOptions } from './call/options.js';
import { openReports, type Reports, reportingErrors, withReportOption } from './call/reports.js';
import { tableStyle } from './call/style.js';
import type { Call, CommandModule, Outcome } from './call/types.js';

/** loadctl compare */
export const command: CommandModule = {
  describe: (command) =>
    withCommonOptions(
      withReportOption(command).argument(
        '[RUN...]',
        'the ids, folders or archives (.tar.gz, .zip) of the new runs; the latest one here without any',
      ),
    )
      .option('--with <RUN...>', 'the earlier runs, or files of --save; else the newest 10 valid ones here of the same load')
      .option('--threshold <SHARE>', 'the change that matters: 5% where it is not said')
      .option('--anyway', 'also compare runs of different loads')
      .option('--save <FILE>', 'add the new runs to this file; of each load it keeps the newest 10')
      .option('--fail-on-regression', 'exit with 99 where a number with a limit is worse')
      .description('Reports whether runs are worse than earlier ones of the same load, or that it cannot tell.')
      .addHelpText(
        'after',
        examples([
          ['loadctl compare', 'the latest run here with those before it'],
          ['loadctl compare RUN RUN RUN --with RUN RUN RUN', 'three with three'],
          ['loadctl compare --with base.json --save base.json --fail-on-regression', 'in CI, with a file that it keeps'],
        ]),
      ),
  run: async (call) => {
    const reports = await openReports(call);
    return reportingErrors(call, reports, () => compareRuns(call, reports));
  },
};

async function compareRuns(call: Call, reports: Reports): Promise<Outcome> {
  const { cwd } = call.shell;
  const compared = await compareWithEarlier(
    { cwd, later: call.args, ...(await earlierOf(call)), anyway: call.options.anyway === true, matters: mattersOf(call) },
    call.shell,
  );
  const isGate = call.options.failOnRegression === true;
  const fails = isGate && isWorse(compared);
  const saved = await save(call, compared, fails);
  const unwritten = reports.asked ? await reports.write(await comparedResult(compared.directory, { ...compared, isGate })) : [];
  return {
    reasons: [...(fails ? ['sla-failed' as const] : []), ...unwritten.map(({ reason }) => reason)],
    data: comparisonData(compared),
    text: renderComparison(compared, await tableStyle(call, 'stdout')) + saved,
    bugs: unwritten,
  };
}

/** A run that fails the call is no measure for later ones: it is not added. */
async function save(call: Call, { later }: Compared, fails: boolean): Promise<string> {
  const named = textOption(call.options, 'save');
  if (named === undefined) return '';
  const file = resolve(call.shell.cwd, named);
  const shown = shownPath(file, call.shell.cwd);
  if (fails)
    return `  ${shown} is as it was: what is worse is not added. Where the change is wanted, add it without --fail-on-regression.\n`;
  const kept = await addToBaseline(file, later, call.shell.clock);
  return `  ${shown} holds ${counted(kept, 'run')}.\n`;
}

function mattersOf({ options }: Call): number {
  const text = textOption(options, 'threshold');
  if (text === undefined) return usualMatters;
  const share = parsePercent(text);
  if (share !== undefined && share > 0 && share <= 1) return share;
  throw new LoadctlError('usage', `--threshold ${text} is not a share`, { hint: 'Type: loadctl compare --threshold 5%' });
}

/** What `--with` names. A file that `--save` is about to make holds no runs yet: so it is on a CI's first night. */
async function earlierOf({ options, shell }: Call): Promise<{ earlier?: readonly string[] }> {
  const named = Array.isArray(options.with) ? options.with.map(String) : undefined;
  if (named === undefined) return {};
  const made = textOption(options, 'save');
  const isMade = (one: string) => made !== undefined && resolve(shell.cwd, one) === resolve(shell.cwd, made);
  const isNew = made !== undefined && (await readBaseline(resolve(shell.cwd, made))) === undefined;
  return { earlier: isNew ? named.filter((one) => !isMade(one)) : named };
}
