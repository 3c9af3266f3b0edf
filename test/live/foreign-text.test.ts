import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Said, type Workplace, workplace } from '../support/loadctl.js';
import { startTarget } from '../support/target.js';

const hostile = 'A\u001b]0;owned\u0007B\u001b[2JC\u202eD\rE\n::error::from a script\n##vso[task.complete]\u009b31mF\u007f##[error]';
/** What acts on a terminal, and what a CI system takes for a command. */
const acting = /[^\P{Cc}\n\t]|\p{Bidi_Control}|[\u2028\u2029]|##(?:vso)?\[|^\s*::/gmu;

const script = `
import http from 'k6/http';
import { Counter } from 'k6/metrics';
const hostile = ${JSON.stringify(hostile)};
const mine = new Counter('mine');
export const options = { vus: 1, iterations: 3, thresholds: { 'mine{t:\u202eevil}': ['count>5'] } };
export default function () {
  console.error(http.get(__ENV.BASE_URL + '/evil', { tags: { name: hostile } }).body);
  mine.add(1, { t: '\u202eevil' });
  throw new Error(hostile);
}
export function teardown() { throw new Error(hostile); }
export function handleSummary() { return { stdout: '::warning::mine\\n', stderr: hostile + '\\n' }; }
`;

const run = ['run', '--env', 'dev'];
const spoken = ({ stdout, stderr }: Said) => stdout + stderr;

/** What acts in the files of a run; an archive is none to look at. */
function actingIn(folder: string): string[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => statSync(join(folder, name)).isFile());
  return files
    .filter((name) => name !== 'test.tar')
    .flatMap((name) => (readFileSync(join(folder, name), 'utf8').match(acting) ?? []).map((found) => `${name}: ${JSON.stringify(found)}`));
}

async function evilPlace(): Promise<Workplace> {
  const target = await startTarget((request, response) => {
    if (request.url !== '/evil') return false;
    response.writeHead(500).end(hostile);
    return true;
  });
  return workplace({ 'profiles/dev.yaml': `target: {url: "${target.url}"}\nworkload: {script: ../script.js}\n`, 'script.js': script });
}

test('a hostile body, tag, error and summary: nothing of it acts on a terminal or a CI system, nor does any later command', async () => {
  const place = await evilPlace();
  const said = await place.loadctl(run);
  expect(said.code).toBe(107);
  expect(said.stderr).toContain(
    'A\\x1b]0;owned\\x07B\\x1b[2JC\\u202eD\\x0dE\n: :error::from a script\n# #vso[task.complete]\\x9b31mF\\x7f# #[error]',
  );
  expect([said.stderr.match(acting), said.stdout.match(acting)]).toEqual([null, ['::']]);
  expect(actingIn(place.latestRun())).toEqual([]);
  expect(spoken(await place.loadctl(['attach'])).match(acting), 'the summary that the script printed').toEqual(['::']);
  for (const later of [['verify'], ['runs'], ['verify', '--json'], ['runs', '--json']])
    expect([later, spoken(await place.loadctl(later)).match(acting)]).toEqual([later, null]);
});

test('in CI what the script itself prints stands between marks that nobody can know; in JSON it is data', async () => {
  const place = await evilPlace();
  const { stdout } = await place.loadctl(run, { GITHUB_ACTIONS: 'true' });
  const [marked = '', mark = ''] = /::stop-commands::([0-9a-f]{32})\n::warning::mine\n::\1::\n/.exec(stdout) ?? [];
  const own = /^::error title=loadctl dev%3A [A-Z]+::.*\n/m;
  expect([mark.length, stdout.replace(marked, '').replace(own, '').match(acting)]).toEqual([32, null]);
  expect(stdout).toMatch(own);
  const asJson = await place.loadctl([...run, '--json']);
  expect([JSON.parse(asJson.stdout), spoken(asJson).match(acting)]).toEqual([expect.objectContaining({ exitCode: 107 }), null]);
});
