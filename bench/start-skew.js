// How far apart four local runners begin, by the first request of each as the target sees it: node bench/start-skew.js [runs]
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const runs = Number(process.argv[2] ?? 5);
const runners = 4;
const bin = fileURLToPath(new URL('../bin/loadctl.js', import.meta.url));

const first = new Map();
const server = createServer((request, response) => {
  const runner = request.headers['x-runner'];
  if (runner !== undefined && !first.has(runner)) first.set(runner, performance.now());
  response.end('{}');
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const url = `http://127.0.0.1:${server.address().port}`;
const folder = mkdtempSync(join(tmpdir(), 'loadctl-bench-'));
try {
  const script = `import http from 'k6/http';\nexport default () => { http.get('${url}/', { headers: { 'X-Runner': __ENV.LOADCTL_RUNNER } }); };\n`;
  writeFileSync(join(folder, 'script.js'), script);
  mkdirSync(join(folder, 'profiles'));
  const profile = `target: {url: "${url}"}\nworkload: {script: ../script.js, vus: ${runners}, duration: 1s}\nrunners: {count: ${runners}}\n`;
  writeFileSync(join(folder, 'profiles', 'dev.yaml'), profile);
  const skews = [];
  for (let run = 1; run <= runs; run += 1) {
    first.clear();
    const child = spawn(process.execPath, [bin, 'run', '--env', 'dev', '--quiet'], { cwd: folder, stdio: 'ignore' });
    await new Promise((resolve) => child.once('close', resolve));
    if (first.size !== runners) throw new Error(`${first.size} of ${runners} runners were seen`);
    const times = [...first.values()];
    skews.push(Math.max(...times) - Math.min(...times));
    console.log(`  ${run}: ${skews.at(-1).toFixed(1)} ms`);
  }
  skews.sort((a, b) => a - b);
  console.log(
    `${runners} local runners: min ${skews[0].toFixed(1)}, median ${skews[skews.length >> 1].toFixed(1)}, max ${skews.at(-1).toFixed(1)} ms (design: below 50)`,
  );
} finally {
  server.close();
  rmSync(folder, { recursive: true, force: true });
}
