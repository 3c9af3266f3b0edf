import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeCertificates } from '../servers/certificates.js';
import { startGreeter } from '../servers/grpc-greeter.js';
import { startWebSite, type WebSite } from '../servers/web-site.js';
import { archive, runBare, temporaryFolder } from './bare.js';
import type { Both } from './differences.js';
import { runFleet } from './fleet.js';
import type { Form, Servers } from './form.js';
import type { Seen } from './seen.js';

const scripts = fileURLToPath(new URL('../fixtures/foreign/', import.meta.url));

/** Runs a form once by one k6 and once by three runners, against servers of its own. */
export async function runBoth(form: Form): Promise<Both> {
  const servers = await startServers(form);
  const { site } = servers;
  const url = targetOf(form, servers);
  const env = form.env?.(servers) ?? {};
  const plain = scriptOf(form);
  const script = form.archived ? await archive(plain, { BASE_URL: url, ...env }) : plain;
  const { calls } = servers.greeter;

  const bare = await runBare(form, script, { BASE_URL: url, ...form.shell, ...form.laidOver?.alone, ...env });
  const seen = { ...bare, requests: requestsOf(site, calls) };
  site.hits.clear();
  calls.clear();
  const fleet = await runFleet(form, script, { url, env });
  return { bare: seen, fleet: { ...fleet, requests: requestsOf(site, calls) } };
}

/** What a form's target and variables are about. */
export async function startServers(form: Form): Promise<Servers> {
  const certificates = temporaryFolder('foreign-tls-');
  const site = await startWebSite(secured(form, certificates));
  return { site, greeter: await startGreeter(), certificates };
}

/** Without loadctl's own look whether the target is up. */
function requestsOf({ hits }: WebSite, calls: ReadonlyMap<string, number>): Seen['requests'] {
  return Object.fromEntries([...hits, ...calls].filter(([request]) => request !== 'GET /'));
}

function targetOf({ target }: Form, { site, greeter }: Servers): string {
  if (target === 'greeter') return `http://${greeter.address}`;
  return target === 'named' ? 'http://shop.test' : site.url;
}

/** Where a form's script is. */
export function scriptOf({ script }: Form): string {
  if (typeof script === 'string') return join(scripts, script);
  const file = join(temporaryFolder('foreign-script-'), 'script.js');
  writeFileSync(file, script.source);
  return file;
}

/** A site whose certificate nobody trusts; `mutual`: it lets in who shows one that its own authority signed. */
function secured({ target }: Form, folder: string): Parameters<typeof startWebSite>[0] {
  if (target !== 'secure' && target !== 'mutual') return undefined;
  const hosts = ['DNS:site.test'];
  makeCertificates(folder, [{ name: 'authority' }, { name: 'site', by: 'authority', hosts }, { name: 'client', by: 'authority', hosts }]);
  const file = (name: string) => readFileSync(join(folder, name));
  const tls = { key: file('site.key'), cert: file('site.pem') };
  return target === 'secure' ? tls : { ...tls, ca: file('authority.pem') };
}
