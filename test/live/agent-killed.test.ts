import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { canMakeHosts, type SshTestNetwork, startHosts } from '../servers/ssh-hosts.js';
import { processesOf } from '../support/agents.js';
import { type Workplace, workplace } from '../support/loadctl.js';
import { endlessScript, oneMinute, sshProfile } from '../support/ssh-profile.js';
import { startTarget } from '../support/target.js';

interface Stage {
  readonly place: Workplace;
  readonly network: SshTestNetwork;
}

interface Killing {
  readonly title: string;
  readonly hosts: readonly string[];
  readonly kill: (stage: Stage) => void;
  readonly says: RegExp;
}

/** An agent's process: its watcher, a script in its folder, is told which it watches. */
function agentBelow(folder: string): number {
  const [agent] = processesOf(folder).flatMap((line) => /\/agent \S+ remove (\d+)$/.exec(line.trim())?.slice(1) ?? []);
  return Number(agent);
}

const here = ({ place }: Stage) => agentBelow(place.folder);
const onHost = ({ network }: Stage) => agentBelow(join(dirname(network.config), 'h2'));
const connectionTo = ({ place }: Stage) =>
  Number.parseInt(processesOf(place.folder).find((line) => line.includes('ControlMaster=yes') && line.includes('-- h2 ')) ?? '', 10);

const killings: Killing[] = [
  { title: 'the agent here', hosts: [], kill: (stage) => process.kill(here(stage), 'SIGKILL'), says: /Runner [12] was lost/ },
  {
    title: 'the agent here with its process group',
    hosts: [],
    kill: (stage) => process.kill(-here(stage), 'SIGKILL'),
    says: /Runner [12] was lost/,
  },
  { title: 'the agent of a host', hosts: ['h1', 'h2'], kill: (stage) => process.kill(onHost(stage), 'SIGKILL'), says: /Runner 2 was lost/ },
  {
    title: 'the ssh to a host',
    hosts: ['h1', 'h2'],
    kill: (stage) => process.kill(connectionTo(stage), 'SIGKILL'),
    says: /Runner 2 was lost \(its host cannot be reached any more\)/,
  },
];

test.runIf(canMakeHosts()).each(killings)('$title gets SIGKILL: no k6 is left, nor anything else; 111', async ({ hosts, kill, says }) => {
  const network = await startHosts(hosts.map((name) => ({ name })));
  const target = await startTarget(undefined, network.address);
  const profile = sshProfile(target.url, network, { count: 2, workload: oneMinute });
  const local = profile.replace(/^ {2}backend: ssh\n {2}hosts: .*\n {2}sshConfig: .*$/m, '');
  const place = workplace({ 'profiles/dev.yaml': hosts.length === 0 ? local : profile, 'script.js': endlessScript });
  const run = place.start(['run', '--env', 'dev'], { TMPDIR: dirname(place.file('tmp/here', '')) });
  await expect.poll(() => target.hits.get('GET /work') ?? 0, { timeout: 30_000 }).toBeGreaterThan(20);

  const begun = Date.now();
  kill({ place, network });
  const ends = expect
    .poll(() => [...k6Of(place), ...network.hosts.flatMap(({ k6 }) => k6())], { timeout: 10_000, interval: 50 })
    .toEqual([])
    .then(() => Date.now() - begun);
  const said = await run.said;

  expect(await ends).toBeLessThan(5000);
  expect(said.stdout + said.stderr).toMatch(says);
  expect(said.code).toBe(111);
  expect(JSON.parse(readFileSync(join(place.latestRun(), 'verdict.json'), 'utf8'))).toMatchObject({ verdict: 'invalid' });
  await expect.poll(() => network.hosts.flatMap(({ left }) => left()), { timeout: 5000 }).toEqual([]);
  await expect.poll(() => [...readdirSync(join(place.folder, 'tmp')), ...processesOf(place.folder)], { timeout: 5000 }).toEqual(['here']);
});

test.runIf(spawnSync('setpriv', ['--pdeathsig', 'TERM', 'true']).status === 0)(
  'loadctl, its agent and all shells get SIGKILL at once while k6 is paused: no k6 is left, and the next command sweeps the rest',
  async () => {
    const target = await startTarget();
    target.delays.set('/set-up', 20_000);
    const script = `import http from 'k6/http';\nexport const setup = () => { http.get(__ENV.BASE_URL + '/set-up'); };\nexport default () => {};`;
    const place = workplace({
      'profiles/dev.yaml': `target: {url: "${target.url}"}\nworkload: {script: ../script.js, vus: 4, duration: 60s}\nrunners: {count: 2}\n`,
      'script.js': script,
    });
    const run = place.start(['run', '--env', 'dev']);
    await expect.poll(() => target.hits.get('GET /set-up'), { timeout: 30_000 }).toBe(1);
    expect(k6Of(place)).toHaveLength(2);

    const others = processesOf(place.folder).filter((line) => !line.includes('k6 run '));
    for (const pid of [run.process.pid ?? 0, ...others.map((line) => Number.parseInt(line, 10))]) process.kill(pid, 'SIGKILL');

    await expect.poll(() => processesOf(place.folder), { timeout: 5000, interval: 50 }).toEqual([]);
    await place.loadctl(['verify']);
    expect(readdirSync(join(place.folder, 'tmp'))).toEqual([]);
  },
);

function k6Of(place: Workplace): string[] {
  return processesOf(place.folder).filter((line) => line.includes('k6 run '));
}
