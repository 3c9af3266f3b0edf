import { describe, expect, test } from 'vitest';
import { complaint, least, load } from './profile-files.js';

/** What `${X}` of a profile becomes with this `.env`. */
function filledIn(dotenv: string, env: Record<string, string> = {}): string | undefined {
  return load({ 'test.yaml': `${least}  env: {X: "\${X}"}\n` }, { elsewhere: { '/w/.env': dotenv }, env }).profile.workload.env.X;
}

describe('a .env file is read as compose and dotenv do', () => {
  test.each([
    ['X=1', '1'],
    ['# a comment\n\n  X = two words  # a comment', 'two words'],
    ['export X=yes', 'yes'],
    ['export X\nX=yes', 'yes'],
    ['X=a#b', 'a#b'],
    ['X=#all', ''],
    ['X=a=b', 'a=b'],
    ['X=', ''],
    ["X='single # $USER \\n' # a comment", 'single # $USER \\n'],
    ['X="line\\nbreak \\"quoted\\" \\$USER" # a comment', 'line\nbreak "quoted" $USER'],
    ['X="spans\nlines"\nY=1', 'spans\nlines'],
    ['X="x ${USER} y"# c', 'x ann y'],
    ['X=`back ticks`', 'back ticks'],
    ['X=1\r\nY=2\r\nX=last\r\n', 'last'],
    ['\uFEFFX=1', '1'],
    ['X=C:\\new\\$USER', 'C:\\new$USER'],
    ['X=postgres://${USER}@db/x', 'postgres://ann@db/x'],
    ['X=$USER-$USER', 'ann-ann'],
    ['X=${NOPE:-fallback}', 'fallback'],
    ['X=${NOPE-fallback}', 'fallback'],
    ['X=<${EMPTY:-full}|${EMPTY-full}>', '<full|>'],
    ['X=${NOPE:-${OTHER:-deep}}', 'deep'],
    ['X=${USER:+somebody}${NOPE:+nobody}', 'somebody'],
    ['PORT=80\nX=http://h:${PORT}', 'http://h:80'],
    ['X=http://h:${PORT}\nPORT=${USER}80', 'http://h:ann80'],
    ['USER=bob\nX=${USER}', 'ann'],
    ['X=costs 5$', 'costs 5$'],
  ])('%j', (dotenv, value) => {
    expect(filledIn(dotenv, { USER: 'ann', EMPTY: '' })).toBe(value);
  });

  test.each([
    ['X=1\nJUST_A_LINE', '.env:2:1: expected `NAME=value`'],
    ['X=1\n  set -a', '.env:2:3: expected `NAME=value`'],
    ['X="abc', '.env:1:3: expected a closing quote, and behind it nothing but a comment'],
    ["X='abc'def", '.env:1:3: expected a closing quote, and behind it nothing but a comment'],
    ['Y=1\nX=${NOPE}', '.env:2:3: `${NOPE}` is not set'],
    ['X=${NOPE:?who is it}', '.env:1:3: `${NOPE}` is not set: who is it'],
    ['X=pa$$word', '.env:1:3: expected `${NAME}` or `${NAME:-default}`; put a literal `$` in single quotes'],
    ['X=${USER', '.env:1:3: expected `${NAME}` or `${NAME:-default}`; put a literal `$` in single quotes'],
    ['X=${Y}\nY=$X', '.env:1:3: `${X}` refers to itself'],
  ])('or the line is refused: %j', (dotenv, message) => {
    const error = complaint(() => filledIn(dotenv));
    expect([error.reason, error.lines]).toEqual(['invalid-profile', [message]]);
  });

  test('only where the profile has variables', () => {
    expect(load({ 'test.yaml': least }, { elsewhere: { '/w/.env': 'set -a' } }).variables).toEqual([]);
  });

  test('what nobody asks for may lack its variables', () => {
    expect(filledIn('X=1\nY=${NOPE}')).toBe('1');
  });

  test('nothing of a line that is refused is shown', () => {
    const error = complaint(() => filledIn('X=1\nPASSWORD="s3cret-word'));
    expect(JSON.stringify([error.message, error.lines, error.hint])).not.toContain('s3cret');
  });

  test('a plan without secrets leaves what lacks a variable as it is', () => {
    const loaded = load({ 'test.yaml': `${least}  env: {X: "\${X}"}\n` }, { elsewhere: { '/w/.env': 'X=${NOPE}' }, secrets: 'optional' });
    expect([loaded.profile.workload.env, loaded.variables]).toEqual([{ X: '${X}' }, [{ name: 'X', from: 'missing' }]]);
  });

  test('and only a problem that has to do with a variable tells where variables are', () => {
    const hint = (vus: string) =>
      complaint(() => load({ 'test.yaml': `${least}  env: {X: "\${X}"}\n  vus: ${vus}\n` }, { secrets: 'optional' })).hint;
    expect(hint('many')).not.toContain('.env');
    expect(hint('"${X} VUs"')).toContain('Set what is missing in the environment or a .env file.');
  });
});

describe('a .env file is looked for', () => {
  const text = `${least}  env: {X: "\${X}", Y: "\${Y:-none}"}\n`;
  const at = (elsewhere: Record<string, string>, more: Record<string, string> = {}) =>
    load(
      {},
      {
        source: { file: 'sub/profiles/test.yaml' },
        elsewhere: { '/w/sub/profiles/test.yaml': text, '/w/sub/profiles/k6.ts': '', ...elsewhere, ...more },
      },
    );

  test.each([
    ['/w/.env', '.env'],
    ['/w/sub/profiles/.env', 'sub/profiles/.env'],
    ['/w/sub/profiles/.env.test', 'sub/profiles/.env.test'],
    ['/w/sub/.env', 'sub/.env'],
  ])('at %s', (path, from) => {
    expect(at({ [path]: 'X=here' }).variables[0]).toEqual({ name: 'X', from });
  });

  test('in the working directory first, and in each place for the environment first', () => {
    const all = { '/w/.env': 'X=w', '/w/sub/profiles/.env.test': 'X=p\nY=p', '/w/sub/.env.test': 'Y=s' };
    expect(at(all).profile.workload.env).toEqual({ X: 'w', Y: 'p' });
    expect(at(all, { '/w/.env.test': 'X=t' }).profile.workload.env).toEqual({ X: 't', Y: 'p' });
  });

  test('and where it is not found it is said where', () => {
    const error = complaint(() => at({ '/w/sub/.env': 'XX=1' }));
    expect(error.lines[0]).toBe('sub/profiles/test.yaml:4:13: `${X}` is not set; did you mean `XX`?');
    expect(error.hint).toBe(
      'Set what is missing in the environment or a .env file. Looked in the environment, .env.test (no such file), .env (no such file), ' +
        'sub/profiles/.env.test (no such file), sub/profiles/.env (no such file), sub/.env.test (no such file), sub/.env.',
    );
  });
});
