import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { receiveFiles } from '../../src/runners/agent/receive.js';

const asked = [
  { name: 'summary.json', most: 1000 },
  { name: 'facts.json', most: 100 },
  { name: 'log', most: 1000, partial: true as const },
];

function receive(answer: string | Buffer, sizes: readonly number[] = [7]) {
  const outside = mkdtempSync(join(tmpdir(), 'loadctl-receive-'));
  onTestFinished(() => rmSync(outside, { recursive: true, force: true }));
  const folder = join(outside, 'a', 'b');
  mkdirSync(folder, { recursive: true });
  const receiver = receiveFiles('mark', asked, folder);
  const bytes = Buffer.from(answer);
  let wanted = true;
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    wanted = receiver.take(bytes.subarray(at, at + size));
    at += size;
  }
  const received = receiver.end();
  const files = Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
  return { received, files, wanted, outside: readdirSync(outside).concat(readdirSync(join(outside, 'a'))) };
}

test('files come as they were asked for, whatever a login script says before, and however the pieces fall', () => {
  const texts = fc.string({ unit: 'binary', maxLength: 60 });
  fc.assert(
    fc.property(texts, texts, fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 }), (summary, log, sizes) => {
      const [first, last] = [Buffer.from(summary), Buffer.from(log)];
      const answer = Buffer.concat([Buffer.from(`Welcome!\n\nmark\n${first.length}\n`), first, Buffer.from(`-\n${last.length}\n`), last]);
      const { received, files } = receive(answer, sizes);
      expect(received).toEqual({ whole: true });
      expect(files).toEqual({ 'summary.json': first.toString(), log: last.toString() });
    }),
  );
});

const refused = 'sent something that was not asked for';

test.each([
  ['a name', 'mark\n3\n{}\n../../../.bashrc\nevil', refused],
  ['a name with a size', 'mark\n3\n{}\n4 ../../../.bashrc\nevil', refused],
  ['more files', 'mark\n3\n{}\n-\n-\n4\nevil', refused],
  ['a negative size', 'mark\n-3\n{}\n', refused],
  ['a size that is no number', 'mark\n1e9\n{}\n', refused],
  ['no mark', 'x'.repeat(100_000), refused],
  ['too much', 'mark\n1001\n{}', 'sent summary.json with 1001 bytes, where 1000 are the most'],
  ['not all', 'mark\n3\n{}\n', 'did not send all'],
  ['nothing', '', 'did not send all'],
])('a host that sends %s is refused', (_, answer, problem) => {
  const { received, files, wanted, outside } = receive(answer);
  expect([received, wanted]).toEqual([{ problem }, problem === 'did not send all']);
  expect([Object.keys(files).filter((name) => name !== 'summary.json'), outside]).toEqual([[], ['a', 'b']]);
});

test('numbers that are cut off are none, of a log its beginning is of use', () => {
  expect(receive('mark\n100\n{"half":').files).toEqual({});
  expect(receive('mark\n-\n-\n100\nthe beginning').files).toEqual({ log: 'the beginning' });
});
