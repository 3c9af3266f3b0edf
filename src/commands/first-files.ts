/** The first profile: one URL on this machine, two runners, half a minute. */
export function firstProfile(url: string): string {
  return `# yaml-language-server: $schema=../node_modules/loadctl/schema/profile.schema.json
# What \`--env dev\` means. Every word is explained in loadctl's docs/profile.md.
environment: dev

target:
  url: \${BASE_URL:-${url}}    # the script sees it as __ENV.BASE_URL
  # health: /healthz                     # probed once a second; then sla can hold \`availability: 99.9%\`

workload:
  script: ../k6/first.js
  vus: 10                                # virtual users, shared among the runners
  duration: 20s                          # ramps included
  ramp: 2s                               # up and down; the SLA is judged on what lies between
  pacing: 1s                             # each virtual user begins one iteration a second
  endpoints: {home: GET /}               # what the plan counts; the script names its requests so
  mix: {home: 100%}

runners: {backend: local, count: 2}

sla:
  p95: < 500ms
  errors: < 1%
`;
}

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
