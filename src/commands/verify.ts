import { LoadctlError } from '../core/errors.js';
import { measuredNumbers } from '../metrics/endpoint-numbers.js';
import { compareWithEarlier, isWorse, usualMatters } from '../phases/compare/compare-runs.js';
import { comparedResult, type Gated } from '../phases/report/read-result.js';
import type { FetchedPoints } from '../phases/verify/fetch-points.js';
import { verify, verifyWithLate } from '../phases/verify/verify.js';
import { comparisonData, renderComparison } from '../reporters/compare-table.js';
import { counted } from '../reporters/sentences/words.js';
import { renderVerdict } from '../reporters/verdict-table.js';
import { findRun } from '../runs/find.js';
import { madeOf } from '../runs/read.js';
import { examples, profileChoice, textOption, withCommonOptions } from './call/options.js';
import { planProfile } from './call/profile.js';
import { openReports, type Reports, reportingErrors, withReportOption } from './call/reports.js';
import { tableStyle } from './call/style.js';
import type { Call, CommandModule, Outcome } from './call/types.js';

/** loadctl verify */
export const command: CommandModule = {
  describe: (command) =>
    withCommonOptions(
      withReportOption(command)
        .argument('[RUN]', 'the id or the folder of a run; the latest one here without it')
        .option('--fetch', 'ask CloudWatch once more for the points of the run first')
        .option('--baseline <FILE>', 'also compare it with the runs in this file (loadctl compare --save FILE)')
        .option('--fail-on-regression', 'with --baseline: exit with 99 where a number with a limit is worse')
        .option('--env <NAME>', 'with --fetch: the environment whose profile holds the credentials for that')
        .option('--profile <FILE>', 'with --fetch: the same by its file'),
    )
      .description('Judges a run against its SLA again, from its directory alone; with --fetch also by points that came late.')
      .addHelpText(
        'after',
        examples([
          ['loadctl verify', 'the latest run here'],
          ['loadctl verify 20261123-195601-k3x9q --json', 'its verdict.json'],
          ['loadctl verify --baseline base.json', 'the same, and beside the runs that are kept there'],
          ['loadctl verify --fetch', 'the latest run here, by what CloudWatch says of it by now'],
        ]),
      ),
  run: async (call) => {
    const reports = await openReports(call);
    return reportingErrors(call, reports, () => verifyRun(call, reports));
  },
};

async function verifyRun(call: Call, reports: Reports): Promise<Outcome> {
  const [named] = call.args;
  const directory = await findRun(call.shell.cwd, named);
  if (named === undefined && !call.style.quiet) call.shell.stderr.write(`The latest run here: ${directory}\n`);
  return madeOf(directory, async () => {
    const { verdict, summary, record, reasons } = await judged(call, directory);
    const measured = summary === undefined ? undefined : measuredNumbers(summary, record.plan.steady);
    const unfit = verdict.verdict === 'invalid' || verdict.verdict === 'interrupted' ? verdict.verdict : undefined;
    const compared = await comparedWithBaseline(call, directory, unfit);
    const unwritten = reports.asked ? await reports.write(await comparedResult(directory, compared.compared)) : [];
    return {
      reasons: [...reasons, ...compared.reasons, ...unwritten.map(({ reason }) => reason)],
      data: { ...verdict, ...compared.data },
      text: renderVerdict(verdict, measured, await tableStyle(call, 'stdout')) + compared.text,
      bugs: unwritten,
    };
  });
}

/** What `--baseline` adds to an outcome. */
interface Beside extends Pick<Outcome, 'reasons' | 'text' | 'data'> {
  readonly compared?: Gated;
}

/** Nothing without `--baseline`. A run without a valid result has its verdict, and is not compared. */
async function comparedWithBaseline(call: Call, directory: string, unfit: string | undefined): Promise<Beside> {
  const file = textOption(call.options, 'baseline');
  const isGate = call.options.failOnRegression === true;
  if (file === undefined) {
    if (isGate) throw new LoadctlError('usage', '--fail-on-regression needs something to compare with', { hint: 'Add --baseline FILE' });
    return { reasons: [], data: {}, text: '' };
  }
  if (unfit !== undefined) return { reasons: [], data: {}, text: `\n  Not compared with ${file}: the result is ${unfit}.\n` };
  const asked = { cwd: call.shell.cwd, later: [directory], earlier: [file], anyway: false, matters: usualMatters };
  const compared = await compareWithEarlier(asked, call.shell);
  return {
    reasons: isGate && isWorse(compared) ? ['sla-failed'] : [],
    data: { comparison: comparisonData(compared) },
    text: `\n${renderComparison(compared, await tableStyle(call, 'stdout'))}`,
    compared: { ...compared, isGate },
  };
}

async function judged(call: Call, directory: string) {
  const isNamed = profileChoice(call).source !== undefined;
  if (call.options.fetch !== true) {
    if (isNamed)
      throw new LoadctlError('usage', 'verify judges a run directory; a profile is read with --fetch only', {
        hint: 'Name the run: loadctl verify RUN',
      });
    return verify(directory, call.shell);
  }
  const now = isNamed ? await planProfile(call, 'required') : undefined;
  const { fetched, ...judgement } = await verifyWithLate(directory, call.shell, now);
  if (!call.style.quiet) call.shell.stderr.write(`${fetchedText(fetched)}\n`);
  return judgement;
}

function fetchedText(fetched: readonly FetchedPoints[]): string {
  if (fetched.length === 0) return 'Nothing to fetch: no monitor of this run is a cloudwatch.';
  return fetched.map(({ monitor, source, points }) => `${monitor}: ${counted(points, 'point')} of ${source}`).join('\n');
}
