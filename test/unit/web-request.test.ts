import { once } from 'node:events';
import { createServer } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { getOnce } from '../../src/phases/target/web-request.js';

test.each([
  [{}, 'Basic YW5uOnNlY3JldC13b3JkLW9mLWFubg=='],
  [{ Authorization: 'Bearer of-the-profile' }, 'Bearer of-the-profile'],
])('a header of the profile takes the place of what the URL says: %j', async (headers, sent) => {
  const heard: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    heard.push(request.headers.authorization, request.headers['user-agent']);
    response.end();
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const url = `http://ann:secret-word-of-ann@127.0.0.1:${port}/`;
  const answer = await getOnce(url, { userAgent: 'loadctl/test', headers, signal: AbortSignal.timeout(5000) });
  answer.resume();
  expect(heard).toEqual([sent, 'loadctl/test']);
});
