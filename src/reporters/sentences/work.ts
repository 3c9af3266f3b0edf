import type { DataPlace, Work, WorkResult } from '../../core/work.js';
import { counted } from './words.js';

/** `db`, or `db shard 1` where it has shards. */
export function placeName({ store, shard }: DataPlace): string {
  return shard === null ? store : `${store} shard ${shard}`;
}

/** A piece of work as a title: `start 2 runners`. */
export function workTitle(work: Work): string {
  switch (work.kind) {
    case 'look-at-target':
      return `check that ${work.url} is up`;
    case 'build-k6':
      return `build k6 v${work.k6Version} with ${work.go}`;
    case 'archive-script':
      return `archive ${work.script}`;
    case 'start-monitors':
      return `start ${counted(work.monitors, 'monitor')}`;
    case 'start-runners':
      return `start ${counted(work.runners, 'runner')}`;
    case 'check-data':
      return 'check the data';
    case 'delete-test-data':
      return 'delete the test data';
    case 'take-out-seeded':
      return 'remove seeded rows that were not changed';
    case 'count-others':
      return 'count rows of others';
    case 'seed':
    case 'delete':
      return `${work.what} in ${placeName(work)}`;
    case 'take-out':
      return `seeded ${work.what} in ${placeName(work)}`;
  }
}

/** What came of a piece of work, in a few words. */
export function resultText(done: WorkResult): string {
  switch (done.result) {
    case 'healthy':
      return 'healthy';
    case 'answered':
      return `answered ${done.status}`;
    case 'answered-otherwise':
      return 'answers, but not in HTTP/1.1';
    case 'connected':
      return 'accepts connections';
    case 'archived':
      return `k6 ${done.k6Version}, sha256 ${done.sha256.slice(0, 12)}`;
    case 'built':
      return 'built';
    case 'ready':
      return 'all runners ready';
    case 'watching':
      return 'all answer';
    case 'some-stay':
      return `${counted(done.entries, 'obstacle')}: some rows will stay, as the receipt says`;
    case 'nothing-in-the-way':
      return 'no obstacles';
    case 'swept':
      return done.left ? 'rows are left' : 'nothing is left';
    case 'taken-out':
      return done.dryRun ? 'counted' : 'removed';
    case 'counted':
      return counted(done.tables, 'table');
    case 'deleted':
      return `${counted(done.rows, 'row')} deleted`;
    case 'seeded':
      return seededText(done);
  }
}

function seededText({ created, alreadyThere, writtenAgain, perSecond, unit }: Extract<WorkResult, { result: 'seeded' }>): string {
  const again = writtenAgain > 0 ? `, ${writtenAgain} lost and written again` : '';
  return `${created} created, ${alreadyThere} already there${again}, ${perSecond} ${unit}/s`;
}
