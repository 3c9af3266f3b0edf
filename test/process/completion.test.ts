import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { type Workplace, workplace } from '../support/loadctl.js';
import { hasTerminals, startInTerminal } from '../support/pty.js';

const bin = fileURLToPath(new URL('../../bin/loadctl.js', import.meta.url));
const profile = 'target: {url: http://127.0.0.1:1}\nworkload: {script: k6.js}\n';
const run = '20261123-195601-k3x9q';

/** Names that a shell would do something with: each leaves a file called `struck` where it is evaluated. */
const hostile = [
  'a b',
  "it's",
  'say "x"',
  '$(touch struck)',
  '`touch struck`',
  'x;touch struck',
  '${x:=y}',
  '~root',
  '-rf',
  '*',
  'new\nline',
];

function place(): Workplace {
  const at = workplace({ 'profiles/dev.yaml': profile, 'profiles/stage.yml': profile, [`.loadctl/runs/${run}/run.json`]: '{}' });
  for (const name of hostile) {
    at.file(`profiles/${name}.yaml`, profile);
    at.file(`.loadctl/runs/${name}/run.json`, '{}');
  }
  chmodSync(at.file('bin/loadctl', `#!/bin/sh\nexec '${process.execPath}' '${bin}' "$@"\n`), 0o755);
  return at;
}

function environmentOf({ folder }: Workplace): Record<string, string> {
  return { PATH: `${join(folder, 'bin')}:${process.env.PATH}`, HOME: folder, ZDOTDIR: folder, LANG: 'C.UTF-8' };
}

/** Where a shell is missing its tests are skipped; never in CI. */
function hasShell(name: string): boolean {
  try {
    execFileSync(name, ['-c', 'exit 0'], { stdio: 'ignore' });
    return hasTerminals();
  } catch {
    if (process.env.CI) throw new Error(`${name} is missing: node bin/bootstrap.js --tests installs it`);
    return false;
  }
}

/** How an interactive shell is started with the script, a Tab that goes from one completion to the next, and a key that writes its line down. */
const interactive = {
  bash: {
    file: '.bashrc',
    setup: `PS1='ready> '
source <(loadctl completion bash)
bind 'TAB: menu-complete' 'set enable-bracketed-paste off'
bind -x '"\\C-xd": printf "%s\\n" "$READLINE_LINE" >>lines'
`,
    argv: (folder: string) => ['bash', '--rcfile', join(folder, '.bashrc'), '-i'],
  },
  zsh: {
    file: '.zshrc',
    setup: `PROMPT='ready> '
autoload -Uz compinit && compinit -u -D
source <(loadctl completion zsh)
dump() { print -r -- "$BUFFER" >>lines; }
zle -N dump && bindkey '^Xd' dump '^I' menu-complete '^U' kill-whole-line
`,
    argv: () => ['zsh', '-i'],
  },
} as const;

/** What the shell's line is after each of these was typed, and some Tabs. */
async function linesAfter(shell: keyof typeof interactive, at: Workplace, typed: readonly (readonly [line: string, tabs: number])[]) {
  const { file, setup, argv } = interactive[shell];
  at.file(file, setup);
  at.file('lines', '');
  const terminal = startInTerminal(argv(at.folder), at.folder, environmentOf(at));
  await terminal.until('ready> ');
  for (const [line, tabs] of typed) terminal.type(`${line}${'\t'.repeat(tabs)}\x18d\x15`);
  terminal.type('exit\n');
  await terminal.exitCode;
  return at
    .read('lines')
    .trimEnd()
    .split('\n')
    .map((line) => line.trimEnd());
}

describe.each(['bash', 'zsh'] as const)('%s', (shell) => {
  test.runIf(hasShell(shell))('completes commands, options, environments, runs and files, and evaluates nothing', async () => {
    const at = place();
    const lines = await linesAfter(shell, at, [
      ['loadctl ver', 1],
      ['loadctl run --env ', 1],
      ['loadctl run --env ', 2],
      ['loadctl run --env ', 3],
      ['loadctl run --env=st', 1],
      ['loadctl run --rep', 1],
      ['loadctl attach ', 1],
      ['loadctl attach ', 2],
      ['loadctl completion f', 1],
      ['loadctl plan --profile profiles/dev', 1],
      ['loadctl run --set x=$(touch struck)', 1],
      ['loadctl run --set=$(>struck)=', 1],
    ]);
    const [, , , third = '', ...rest] = lines;
    expect([...lines.slice(0, 3), ...rest]).toEqual([
      'loadctl verify',
      'loadctl run --env dev',
      'loadctl run --env stage',
      'loadctl run --env=stage',
      'loadctl run --report-dir',
      `loadctl attach ${run}`,
      `loadctl attach ${run}`,
      'loadctl completion fish',
      'loadctl plan --profile profiles/dev.yaml',
      'loadctl run --set x=$(touch struck)',
      'loadctl run --set=$(>struck)=',
    ]);
    // Behind the last the shell begins anew: there is no third.
    expect(['loadctl run --env', 'loadctl run --env dev']).toContain(third);
    expect(readdirSync(at.folder)).not.toContain('struck');
  });
});

describe('fish', () => {
  test.runIf(hasShell('fish'))('completes commands, options, environments, runs and files, and evaluates nothing', () => {
    const at = place();
    const ask = (line: string) =>
      execFileSync('fish', ['--no-config', '-c', 'source (loadctl completion fish | psub); complete -C $argv[1]', line], {
        cwd: at.folder,
        env: environmentOf(at),
        encoding: 'utf8',
      })
        .split('\n')
        .map((each) => each.split('\t')[0])
        .filter((each) => each !== '');
    expect(ask('loadctl ver')).toEqual(['verify']);
    expect(ask('loadctl run --env ')).toEqual(['dev', 'stage']);
    expect(ask('loadctl run --env=st')).toEqual(['--env=stage']);
    expect(ask('loadctl run --rep')).toEqual(['--report-dir']);
    expect(ask('loadctl attach ')).toEqual([run]);
    expect(ask('loadctl completion f')).toEqual(['fish']);
    expect(ask('loadctl plan --profile profiles/dev')).toEqual(['profiles/dev.yaml']);
    expect(ask('loadctl run --set x=$(touch struck)')).toEqual([]);
    expect(existsSync(join(at.folder, 'struck'))).toBe(false);
  });
});

describe('loadctl completion', () => {
  test('asks for a shell that has a script', async () => {
    const said = await workplace().loadctl(['completion', 'tcsh']);
    expect(said).toMatchObject({ code: 2, stdout: '' });
    expect(said.stderr).toContain('Allowed choices are bash, zsh, fish.');
  });

  test('prints data with --json', async () => {
    const said = await workplace().loadctl(['completion', 'fish', '--json']);
    expect(JSON.parse(said.stdout)).toMatchObject({ shell: 'fish', script: expect.stringContaining('complete -c loadctl'), exitCode: 0 });
  });

  test('knows no completions of files that are not there, and none of what is no environment', async () => {
    const said = await workplace().loadctl(['complete', '--', 'run', '--env', '']);
    expect(said).toEqual({ code: 0, stdout: ':4\n', stderr: '' });
  });

  test('is not disturbed by files where its folders are looked for', async () => {
    const at = workplace();
    for (const name of ['profiles', '.loadctl']) {
      rmSync(join(at.folder, name), { recursive: true, force: true });
      writeFileSync(join(at.folder, name), 'in the way');
    }
    expect(await at.loadctl(['complete', '--', 'verify', ''])).toEqual({ code: 0, stdout: ':4\n', stderr: '' });
  });

  test('what shells ask by says to people what to type', async () => {
    const said = await workplace().loadctl(['complete', 'bash']);
    expect(said).toMatchObject({ code: 2, stderr: expect.stringContaining('loadctl completion bash') });
  });
});
