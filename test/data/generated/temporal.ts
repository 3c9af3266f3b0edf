import type { Hazard } from './hazard.js';
import { prefix } from './model.js';

/** When a row holds that says nothing else. */
export const span = '[2026-01-01,2027-01-01)';

/** What `WITHOUT OVERLAPS` needs beside a text. */
export const withOverlaps = 'CREATE EXTENSION IF NOT EXISTS btree_gist';

/** A listed table that others reference by a span of time. */
export function referencedByPeriod(): Hazard {
  const room = (who: string, owner: string) =>
    `INSERT INTO rooms SELECT 'room ' || g, '${span}', '${who}', '${owner}' || g FROM generate_series(${who === 'test' ? '11, 19' : '1, 9'}) g`;
  const stay = (at: string) => `INSERT INTO stays (who, room, during) VALUES ('other', 'room ${at}', '[2026-03-01,2026-04-01)')`;
  return {
    kind: 'referenced by PERIOD',
    codes: [112],
    names: ['stays', 'PERIOD'],
    schema: [
      withOverlaps,
      'CREATE TABLE rooms (no text, during daterange, who text, owner text, PRIMARY KEY (no, during WITHOUT OVERLAPS))',
      'CREATE TABLE stays (no int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, who text, room text, during daterange, FOREIGN KEY (room, PERIOD during) REFERENCES rooms (no, PERIOD during))',
    ],
    before: [room('other', 'real-'), stay('3')],
    after: [room('test', prefix), stay('12')],
    rows: [{ table: 'db.rooms', column: 'owner' }],
  };
}
