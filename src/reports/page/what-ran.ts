import { stringify } from 'yaml';
import { shellQuote } from '../../core/command.js';
import { formatDuration } from '../../core/quantities.js';
import type { RunRecord } from '../../runs/record.js';
import { type Markup, markup } from '../result/markup.js';
import type { Judged } from '../result/result.js';
import { details, section, table, words } from './table.js';

/** What ran, so that it can be run again: the profile without its secrets, the plan, versions, commit, commands. */
export function whatRanSection({ record }: Judged): Markup | undefined {
  const { plan, target, versions, by, gitCommit, ciLink } = record;
  const { load } = plan;
  const rate = load?.rate === undefined ? '' : `, ${load.rate}/s`;
  const facts: (readonly [string, string | undefined])[] = [
    ['target', target.url],
    ['load', load === undefined ? 'the script’s own' : `${load.vus} VUs${rate}, ${formatDuration(load.duration)}`],
    ['runners', `${plan.runners.length}, ${plan.fleet?.backend ?? 'local'}`],
    ['plan', plan.hash],
    ['script archive (sha256)', record.archiveSha256],
    ['versions', `loadctl ${versions.loadctl}, k6 ${versions.k6}, Node ${versions.node}`],
    ['by', `${by.user} on ${by.host}`],
    ['commit', gitCommit],
    ['CI', ciLink],
  ];
  const rows = facts.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
  return section(
    'what-ran',
    'What ran',
    table('What ran, where, from which sources', [words('what'), words('value')], rows),
    markup`<h3>Run it again</h3>\n<pre>${commands(record).join('\n')}</pre>\n`,
    details('The profile, without its secrets', markup`<pre>${stringify(record.profile, { aliasDuplicateObjects: false })}</pre>\n`),
    details('The plan', markup`<pre>${JSON.stringify(plan, null, 2)}</pre>\n`),
  );
}

/** What was typed beside the profile is in the overrides; a secret of them is `[redacted]`. */
function commands({ environment, overrides, run }: RunRecord): string[] {
  const given: readonly unknown[] = Array.isArray(overrides) ? overrides : [];
  const words = given.flatMap((one) => {
    const { path, value }: { path?: unknown; value?: unknown } = typeof one === 'object' && one !== null ? one : {};
    return typeof path === 'string' ? ['--set', shellQuote(`${path}=${String(value)}`)] : [];
  });
  return [['loadctl run --env', environment, ...words].join(' '), `loadctl verify ${run}`];
}
