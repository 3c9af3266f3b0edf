// What outputs send to in a bench, as a process of its own: takes everything at once, and counts. Ends with the bench.
import { createServer } from 'node:http';

const seen = { requests: 0, bytes: 0 };

const server = createServer((request, response) => {
  seen.requests += 1;
  request.on('data', (piece) => {
    seen.bytes += piece.length;
  });
  request.on('end', () => response.writeHead(request.url.startsWith('/query') ? 200 : 204).end());
});
server.listen(0, '127.0.0.1', () => process.send?.(server.address()));
process.on('message', () => process.send?.(seen));
process.on('disconnect', () => process.exit());
