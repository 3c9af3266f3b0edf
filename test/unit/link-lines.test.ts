import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { eachLine } from '../../src/runners/kubernetes/link/lines.js';

test('lines of a link are heard until it breaks, which its own stream alone tells', async () => {
  const stream = new PassThrough();
  const heard: string[] = [];
  const broken = new Promise<Error>((resolve) => stream.on('error', resolve));
  await new Promise<void>((resolve) => {
    eachLine(stream, (line) => {
      heard.push(line);
      if (line === 'two') resolve();
    });
    stream.write('one\ntw');
    stream.write('o\nthr');
  });
  stream.destroy(new Error('read ECONNRESET'));
  expect((await broken).message).toBe('read ECONNRESET');
  expect(heard).toEqual(['one', 'two']);
});
