import type { Known } from './answers.js';

/** The first script: one request, once a second. */
export const firstScript = `import http from 'k6/http';
import { check, sleep } from 'k6';

const pacing = Number(__ENV.LOADCTL_PACING_MS || 1000) / 1000;

export default function () {
  const begun = Date.now();
  const response = http.get(\`\${__ENV.BASE_URL}/\`, { tags: { name: 'GET /' } });
  check(response, { 'is answered with 2xx': (r) => r.status >= 200 && r.status < 300 });
  sleep(Math.max(0, pacing - (Date.now() - begun) / 1000));
}
`;

/** The variables that profiles ask for, by name, with what each is. */
export function variablesOf({ db, redis, script }: Known): readonly (readonly [name: string, meaning: string])[] {
  return [
    ...(db === undefined ? [] : [['DB_PASSWORD', 'of the role in stores.db.url; as it is, not percent-encoded'] as const]),
    ...(redis === undefined ? [] : [['REDIS_PASSWORD', 'of stores.cache; as it is'] as const]),
    ...(script?.variables ?? []).map((name) => [name, 'the script reads it: workload.env in profiles/base.yaml'] as const),
  ];
}

/** The lines of `.env.example` that `there`, what is in it, lacks. */
export function envExample(known: Known, there: string): string[] {
  const isThere = (name: string) => new RegExp(`^[#\\s]*(?:export\\s+)?${name}\\s*=`, 'm').test(there);
  const lines = [
    ...(isThere('BASE_URL') ? [] : [`# BASE_URL=${known.url}`]),
    ...variablesOf(known).flatMap(([name, meaning]) => (isThere(name) ? [] : [`# ${meaning}`, `${name}=`])),
  ];
  const head = '# loadctl: copy to .env (or .env.dev, .env.staging, .env.prod), and fill in what you need. Never commit those.';
  return lines.length === 0 ? [] : [head, ...lines];
}

/** What git is to leave alone: runs, and files with secrets. */
const ignored = ['.loadctl/', '.env', '.env.*', '!.env.example'];

/** The lines for git that `there`, what is in its file, lacks. */
export function gitIgnore(there: string): string[] {
  const known = new Set(there.split('\n').map((line) => line.trim()));
  return ignored.filter((line) => !known.has(line));
}

/** A workflow that tests staging each night, with these variables as secrets. */
export function workflow(variables: readonly string[]): string {
  const secret = (name: string) => `      ${name}: \${{ secrets.STAGING_${name} }}`;
  return `# Tests staging each night. It expects these variables as secrets, and package.json to have loadctl. What is beyond loopback is
# confirmed: set LOADCTL_CONFIRM to what \`loadctl plan --env staging\` says, or \`guards.confirm: false\` in its profile.
name: load test
on:
  workflow_dispatch:
  schedule:
    - cron: '0 3 * * *'
permissions:
  contents: read
# Two load tests of one environment would measure each other.
concurrency:
  group: load-test-staging
  cancel-in-progress: false
jobs:
  staging:
    runs-on: ubuntu-latest
    timeout-minutes: 60
    env:
${['LOADCTL_CONFIRM', ...variables].map(secret).join('\n')}
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-node@v4
        with:
          node-version: 22
      - run: npm ci
      - name: load test
        id: load
        run: npx loadctl test --env staging --report-dir report
      # A job that was cancelled ends before its cleanup does: this one needs no run.
      - name: remove the test data
        if: always() && steps.load.outcome != 'success'
        run: npx loadctl cleanup --env staging
      - name: the run
        if: always()
        uses: actions/upload-artifact@v4
        with:
          name: load-test-run
          path: |
            .loadctl/runs
            report
          include-hidden-files: true
          if-no-files-found: warn
`;
}
