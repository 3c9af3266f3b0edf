import { describe, expect, test } from 'vitest';
import { LoadctlError } from '../../src/core/errors.js';
import { outputInWords } from '../../src/reporters/sentences/outputs.js';
import { load, planHere } from './profile-files.js';

const head = `target: {url: http://127.0.0.1:8080}
workload: {script: k6.ts, vus: 1, duration: 1m}
`;

/** All that is said against a profile. */
function linesOf(profile: string): string {
  try {
    load({ 'test.yaml': profile });
    return '';
  } catch (error) {
    return error instanceof LoadctlError ? error.lines.join('\n') : String(error);
  }
}

/** What is wrong with a profile, without its frames; and all that is said of it. */
function wrong(words: string, env: Record<string, string> = {}): { lines: string[]; all: string } {
  try {
    load({ 'test.yaml': head + words }, { env });
    return { lines: [], all: '' };
  } catch (error) {
    if (!(error instanceof LoadctlError)) throw error;
    const lines = error.lines.filter((line) => line.startsWith('profiles/')).map((line) => line.replace(/^[^ ]+ /, ''));
    return { lines, all: [error.message, error.hint, ...error.lines].join('\n') };
  }
}

test.each([
  ['an unknown kind', '{kind: slak, webhook: http://h/x}', /expected `influxdb`, .*did you mean `slack`\?/],
  ['a word of another kind', '{kind: slack, webhook: http://h/x, url: http://h/y}', /^unknown key `url`|`url` does not go with/],
  ['a misspelled word', '{kind: slack, webhok: http://h/x}', /^unknown key `webhok`; did you mean `webhook`\?/],
  ['no address', '{kind: teams}', /^missing `webhook` in `outputs.o`/],
  ['an unknown occasion', '{kind: slack, webhook: http://h/x, on: [breached]}', /expected .*did you mean `breach`\?/],
  ['a secret that is none', '{kind: webhook, url: http://h/x, secret: "not base64!"}', /^expected a secret such as/],
  ['two kinds of InfluxDB', '{kind: influxdb, url: http://h, bucket: b, token: t, database: d}', /exclude each other/],
  ['a Slack that is none', '{kind: slack}', /^slack needs `webhook`, or `token` and `channel`/],
  ['a Slack by two ways', '{kind: slack, webhook: http://h/x, token: xoxb-1234, channel: c}', /exclude each other/],
  ['a bot without a channel', '{kind: slack, token: xoxb-1234}', /^`token` needs `channel`/],
  ['a channel without a bot', '{kind: slack, webhook: http://h/x, channel: c}', /^`channel` needs `token`/],
  ['a dashboard that is a URL', '{kind: grafana, url: http://h, dashboard: http://h/d/x}', /^expected the uid of a dashboard/],
  ['a bucket for anybody', '{kind: influxdb, url: http://h, bucket: b}', /^`bucket` needs `token`/],
])('%s', (_, output, expected) => {
  const { lines } = wrong(`outputs: {o: ${output}}`);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(expected);
});

test.each([
  ['cloud', /`cloud` is refused: each runner would be a test of its own/],
  ['influxdb=http://h', /numbers go to databases by the section `outputs`/],
  ['json=../x.json', /a name without folders/],
  ['json=x.json.gz', /not packed/],
  ['csv=summary.json', /`summary.json` is taken/],
  ['json=log-end', /`log-end` is taken/],
])('k6’s own output %s is refused', (output, expected) => {
  const profile = head.replace('duration: 1m}', `duration: 1m, outputs: ["${output}"]}`);
  expect(linesOf(profile)).toMatch(expected);
});

describe('a secret', () => {
  test('of a webhook is in no complaint about it, also where it is no URL', () => {
    const { all } = wrong(
      'outputs: {o: {kind: slack, webhook: "hooks.slack.com/services/T0/B0/very-secret"}, p: {kind: teams, webhook: "${TEAMS}", x: 1}}',
      {
        TEAMS: 'https://h/workflows/also-secret?sig=too',
      },
    );
    expect(all).toContain('expected a URL');
    expect(all).not.toMatch(/very-secret|also-secret/);
  });
});

test('hosts are shown, and are nobody’s to guard', () => {
  const plan = planHere(
    load({
      'test.yaml': `${head}outputs:
  slack: {kind: slack, webhook: "https://hooks.slack.com/services/T0/B0/x", on: [breach, failed]}
  influx: {kind: influxdb, url: "http://ann:pw@influx.example.com:8086"}
`,
    }),
  );
  expect(plan.outputs.map(outputInWords)).toEqual([
    'slack: slack at hooks.slack.com, on breach, failed',
    'influx: influxdb at influx.example.com:8086',
  ]);
  expect([plan.hosts, plan.beyondLoopback]).toEqual([['127.0.0.1'], []]);
  expect(JSON.stringify(plan)).not.toMatch(/services|pw/);
});
