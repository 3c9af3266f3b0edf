import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { typedCommands } from '../../src/commands/table.js';
import { workplace } from '../support/loadctl.js';

const dev = 'target: {url: http://127.0.0.1:1}\nworkload: {script: k6.js}\n';
const here = () => workplace({ 'profiles/dev.yaml': dev, 'profiles/stage.yaml': dev, 'profiles/k6.js': 'export default () => {}' });

describe('help', () => {
  test('lists every command, with examples, on stdout', async () => {
    for (const args of [['--help'], ['-h'], [], ['help']]) {
      const said = await workplace().loadctl(args);
      expect([said.code, said.stderr]).toEqual([0, '']);
      for (const name of ['init', 'doctor', 'plan', 'seed', 'run', 'verify', 'cleanup', 'test', 'runs', 'resend']) {
        expect(said.stdout).toMatch(new RegExp(`^  ${name}\\b`, 'm'));
      }
      expect(said.stdout).toContain('Examples:');
    }
  });

  test.each(['init', 'doctor', 'plan', 'seed', 'run', 'verify', 'cleanup', 'test', 'runs', 'resend'])(
    'of %s has a description and examples',
    async (name) => {
      const said = await workplace().loadctl([name, '--help']);
      expect([said.code, said.stderr]).toEqual([0, '']);
      expect(said.stdout).toMatch(new RegExp(`^Usage: loadctl ${name}`));
      expect(said.stdout).toContain(`loadctl ${name}`);
      expect(said.stdout).toMatch(/Examples:\n/);
      expect(await workplace().loadctl(['help', name])).toEqual(said);
    },
  );

  test('says which commands take --env', async () => {
    const { stdout } = await workplace().loadctl(['--help']);
    const [, listed = ''] = /^Options of (.+):\n {2}--env NAME/m.exec(stdout) ?? [];
    const commands = stdout.slice(stdout.indexOf('First steps:\n'), stdout.indexOf('Options of '));
    const names = [...commands.matchAll(/^ {2}(\w+)/gm)].map((match) => match[1] ?? '');
    const helps = await Promise.all(names.map(async (name) => ({ name, help: (await workplace().loadctl([name, '--help'])).stdout })));
    const takesIt = helps.filter(({ help }) => help.includes('--env <NAME>')).map(({ name }) => name);
    expect(listed.split(/, | and /)).toEqual(takesIt);
    expect(stdout.split('Options of every command:\n')[1]?.split('\n\n')[0]).not.toMatch(/--env|--version/);
  });

  test('lists commands in groups, each once, and ends with where the documentation is', async () => {
    const { stdout } = await workplace().loadctl(['--help']);
    const headings = [...stdout.matchAll(/^(\S.*):$/gm)].map((match) => match[1]);
    expect(headings.slice(0, 4)).toEqual(['First steps', 'A test, and its phases', 'Results', 'Others']);
    for (const { name } of typedCommands) expect(stdout.match(new RegExp(`^  ${name}\\b.*  [a-z]`, 'gm')), name).toHaveLength(1);
    const [, docs = ''] = /\n\nDocumentation: (.+)\n$/.exec(stdout) ?? [];
    expect(existsSync(docs), docs).toBe(true);
    expect((await workplace().loadctl(['run', '--help'])).stdout).toMatch(new RegExp(`\n\nDocumentation: ${docs}\n$`));
  });

  test('of a command lists options in groups: which test, its own, those of every command', async () => {
    const { stdout } = await workplace().loadctl(['run', '--help']);
    const headings = [...stdout.matchAll(/^(\S.*):$/gm)].map((match) => match[1]);
    expect(headings).toEqual(['Arguments', 'Which test', 'Options', 'Every command', 'Examples']);
    const options = [...stdout.matchAll(/^ {2}(--?[a-z-]+)/gm)].map((match) => match[1]);
    expect(options.slice(0, 5)).toEqual(['--env', '--set', '-e', '--profile', '--plan']);
  });

  test.each(['--version', '-v', '-V'])('says its version: %s', async (flag) => {
    expect(await workplace().loadctl([flag])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  });
});

describe('wrong usage ends with 2, the error and one thing to do', () => {
  test.each([
    [['rnu'], 'Unknown command: rnu', 'Did you mean loadctl run?'],
    [['--evn', 'dev'], 'Unknown command: dev', 'loadctl --help'],
    [['--frob'], 'No command: --frob', 'loadctl --help'],
    [['run', '--evn', 'dev'], "loadctl run: unknown option '--evn'", 'Did you mean --env?'],
    [['run', '--env'], "option '--env <NAME>' argument missing", 'loadctl run --help'],
    [['run', 'dev'], 'unexpected argument `dev`', 'Did you mean --env dev?'],
    [['run'], 'Which environment? profiles/ has dev, stage.', '--env dev'],
    [['run', '--env', 'dev', '--profile', 'x.yaml'], '--env and --profile both name a profile', 'one of them'],
    [['plan', '--env', 'A=B'], '`--env A=…` is not an environment', '-e KEY=VALUE'],
    [['plan', '--env', 'dev', '--set', 'workload.vus'], '--set workload.vus', '--set workload.vus=10'],
    [['init', '--url', 'nonsense'], '--url nonsense is not a valid URL', 'http://'],
    [['run', '--plan', 'missing.json'], 'missing.json', 'loadctl plan --out'],
  ])('%j', async (args, message, hint) => {
    const said = await here().loadctl(args);
    expect(said).toMatchObject({ code: 2, stdout: '' });
    expect(said.stderr).toContain('error: ');
    expect(said.stderr).toContain(message);
    expect(said.stderr).toMatch(/^hint: /m);
    expect(said.stderr).toContain(hint);
    expect(said.stderr).not.toMatch(/^ +at /m);
  });

  test.each([
    ['run localhost:8080', 'loadctl run http://localhost:8080'],
    ['run localhost', 'loadctl run http://localhost'],
    ['run 127.0.0.1:8080/carts', 'loadctl run http://127.0.0.1:8080/carts'],
    ['run load/shop.js', 'loadctl run --env dev --set workload.script=load/shop.js'],
    ['run --env stage load/shop.js', 'loadctl run --env stage --set workload.script=load/shop.js'],
    ['run --env dev --set workload.vus 10', 'loadctl run --env dev --set workload.vus=10'],
    ['plan --env dev -e FEATURE on', 'loadctl plan --env dev -e FEATURE=on'],
    ['plan --env dev workload.vus=10', 'loadctl plan --env dev --set workload.vus=10'],
    ['plan --env dev FEATURE=on', 'loadctl plan --env dev -e FEATURE=on'],
    ['run -env dev', 'loadctl run --env dev'],
    ['run --vus 10 --env dev', 'loadctl run --set workload.vus=10 --env dev'],
    ['run --env dev -d 30s', 'loadctl run --env dev --set workload.duration=30s'],
    ['run --env dev --iterations=7', 'loadctl run --env dev --set workload.options.iterations=7'],
    ['run --env dev --tag team=shop', 'loadctl run --env dev --set workload.options.tags.team=shop'],
    ['run --environment dev', 'loadctl run --env dev'],
    ['run ./profiles/dev.yaml', 'loadctl run --env dev'],
    ['run other/dev.yaml', 'loadctl run --profile other/dev.yaml'],
    ['rum --env dev', 'loadctl run --env dev'],
    ['cleanup-all --env dev', 'loadctl cleanup --env dev'],
    ['validate --env dev', 'loadctl plan --env dev'],
    ['version', 'loadctl --version'],
    ['--verson', 'loadctl --version'],
    ['ls', 'loadctl runs'],
  ])('%s is answered with a command to paste, which is read', async (typed, pasted) => {
    const place = here();
    const said = await place.loadctl(typed.split(' '));
    expect(said).toMatchObject({ code: 2, stdout: '' });
    expect(said.stderr).toMatch(/^hint: Did you mean /m);
    expect(said.stderr.replace(/\?$/m, '')).toMatch(new RegExp(` ${pasted.replace(/[.]/g, '\\.')}$`, 'm'));
    expect((await place.loadctl(pasted.split(' ').slice(1).concat('--help'))).code).toBe(0);
  });

  test.each([
    ['plan --env dev --set stores.cache.password s3cretWord'],
    ['plan --env dev -e TOKEN s3cretWord'],
    ['plan --env dev --token s3cretWord'],
  ])('%s is answered without the secret', async (typed) => {
    const said = await here().loadctl(typed.split(' '));
    expect(said).toMatchObject({ code: 2, stderr: expect.not.stringContaining('s3cretWord') });
  });

  test("an unknown environment is the profile's error, with a near miss", async () => {
    const said = await here().loadctl(['plan', '--env', 'stge']);
    expect(said.code).toBe(104);
    expect(said.stderr).toBe('error: Unknown environment `stge`: `profiles` has `dev` and `stage`\nhint: Did you mean --env stage?\n');
  });

  test('without any profile the way to a first one is shown', async () => {
    const said = await workplace().loadctl(['run']);
    expect(said).toMatchObject({ code: 2, stderr: expect.stringContaining('loadctl init') });
  });
});

describe('--json', () => {
  test('errors are data on stdout, and the same words on stderr', async () => {
    const said = await here().loadctl(['plan', '--env', 'stge', '--json']);
    expect(JSON.parse(said.stdout)).toEqual({
      error: {
        code: 'invalid-profile',
        message: 'Unknown environment `stge`: `profiles` has `dev` and `stage`',
        hint: 'Did you mean --env stage?',
        exitCode: 104,
      },
      exitCode: 104,
      exitCodes: [104],
    });
    expect(said.stderr).toContain('hint: Did you mean --env stage?');
  });

  test('options may stand before the command', async () => {
    const place = here();
    const told = async (args: string[]) => {
      const { capacity: _ofThisMoment, ...plan } = JSON.parse((await place.loadctl(args)).stdout) as Record<string, unknown>;
      return plan;
    };
    const after = await told(['plan', '--env', 'dev', '--json']);
    expect(await told(['--json', '--env', 'dev', 'plan'])).toEqual(after);
    expect(after).toMatchObject({ environment: 'dev', exitCode: 0, exitCodes: [] });
  });

  test('doctor and runs speak it, too', async () => {
    const doctor = await workplace().loadctl(['doctor', '--json']);
    expect(JSON.parse(doctor.stdout).findings.map(({ what }: { what: string }) => what)).toEqual([
      'k6',
      'node',
      'ports',
      'open files',
      'accounts',
    ]);
    expect(JSON.parse((await workplace().loadctl(['runs', '--json'])).stdout)).toEqual({
      version: 1,
      runs: [],
      exitCode: 0,
      exitCodes: [],
    });
  });
});

test('a reader that leaves early is no error', () => {
  const bin = new URL('../../bin/loadctl.js', import.meta.url).pathname;
  const shell = `set -o pipefail; '${process.execPath}' '${bin}' --help | head -c 1`;
  const { status, stdout, stderr } = spawnSync('bash', ['-c', shell], { encoding: 'utf8' });
  expect([status, stdout, stderr]).toEqual([0, 'U', '']);
});
