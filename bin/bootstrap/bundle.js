import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inRoot } from './shell.js';

/** Whether this Node is one that the bundler runs on, and vitest. */
export function canBundle() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  return (major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 22;
}

/** Packages that stay outside: large ones, which only commands that reach a database load; and tab, which has no licence file to pass on. */
const outside = ['pg', 'ioredis', '@aws-sdk/rds-signer', '@aws-sdk/client-cloudwatch', '@kubernetes/client-node', '@bomb.sh/tab'];

/**
 * What is used of node:http, not as a module of its own: making one of it reads all that it has, WebSocket among it, and that loads
 * undici, which takes a tenth of the time that a short run takes.
 */
const leanHttp = {
  name: 'lean-http',
  resolveId: (id) => (id === 'node:http' ? '\0node:http' : undefined),
  load: (id) => (id === '\0node:http' ? lean : undefined),
};
const lean = `import { createRequire } from 'node:module';
export const { Agent, createServer, request } = createRequire(import.meta.url)('node:http');`;

/**
 * Puts loadctl as it is started into cli.js and chunks/ of a folder, with the packages that every start needs
 * (docs/decisions/0019). `tsc` alone leaves a dist/cli.js that does the same from single files.
 */
export async function bundle(folder = inRoot('dist')) {
  const { rolldown } = await import('rolldown');
  const bundled = await rolldown({
    input: { cli: inRoot('src', 'cli.ts'), carry: inRoot('src', 'carry.ts'), complete: inRoot('src', 'complete.ts') },
    platform: 'node',
    plugins: [leanHttp],
    external: (id) => outside.some((name) => id === name || id.startsWith(`${name}/`)),
    onLog: (level, log) => {
      if (level === 'warn') throw new Error(log.message); // an import that is not found, say: it would fail where loadctl is installed
    },
  });
  rmSync(join(folder, 'chunks'), { recursive: true, force: true });
  const { output } = await bundled.write({ dir: folder, chunkFileNames: 'chunks/[name].js', sourcemap: true });
  await bundled.close();
  writeFileSync(join(folder, 'chunks', 'LICENSES.txt'), licensesOf(modulesOf(output)));
  await bundlePage(join(folder, 'page'));
}

/** What a report's page runs, as one script that stands in the page: whoever passes a page on passes on the licences in it. */
async function bundlePage(folder) {
  const { rolldown } = await import('rolldown');
  const bundled = await rolldown({ input: inRoot('src', 'page', 'main.ts'), platform: 'browser' });
  const { output } = await bundled.generate({ format: 'iife', minify: true });
  await bundled.close();
  const [{ code }] = output;
  const text = `/*!\n${licensesOf(modulesOf(output)).replaceAll('*/', '* /')}*/\n${code.trim()}\n`;
  if (/<\/script|<script|<!--/i.test(text)) throw new Error('the script of the page would end where it stands in a page');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'page.js'), text);
  writeFileSync(join(folder, 'page.css'), readFileSync(inRoot('node_modules', 'uplot', 'dist', 'uPlot.min.css')));
}

function modulesOf(output) {
  return output.flatMap((file) => (file.type === 'chunk' ? file.moduleIds : []));
}

/** The licences of the packages that these modules come from: who passes on their code passes on its licence. */
function licensesOf(modules) {
  const folders = new Set(modules.flatMap((id) => /^.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+/.exec(id)?.[0] ?? []));
  return [...folders].sort().map(licenseOf).join('\n\n');
}

function licenseOf(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  if (file === undefined) throw new Error(`${name} has no licence file: it cannot be bundled`);
  return `${name} ${version} (${license})\n\n${readFileSync(join(folder, file), 'utf8').trim()}\n`;
}
