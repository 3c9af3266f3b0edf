// The target of a bench, as a process of its own: counts what reaches it, path by path. Ends with the bench.
import { createServer } from 'node:http';

const seen = {};

const server = createServer((request, response) => {
  const now = Date.now();
  const path = seen[request.url] ?? { times: 0, first: now };
  seen[request.url] = { ...path, times: path.times + 1, last: now };
  response.end('{"ok":true}');
});
server.listen(0, process.argv[2], () => process.send?.(server.address()));
process.on('message', () => process.send?.(seen));
process.on('disconnect', () => process.exit());
