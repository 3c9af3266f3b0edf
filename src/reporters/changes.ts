import type { ChangedSeed } from '../core/receipt.js';
import { counted } from './sentences/words.js';

/** Seeded rows that were changed since, set by set. */
export function renderChanges(changed: readonly ChangedSeed[]): string {
  const lines = changed.flatMap(({ what, shard, count, examples }) => {
    const more = count > examples.length ? [`    … and ${counted(count - examples.length, 'more row')}`] : [];
    return [
      `  ${what}${shard === null ? '' : ` on shard ${shard}`}: ${counted(count, 'row')} changed since the seed`,
      ...examples.map((example) => `    ${example}`),
      ...more,
    ];
  });
  return `${lines.join('\n')}\n`;
}
