import type { Form } from '../form.js';

/** What scripts do with k6/http. */
export const requests: readonly Form[] = [
  { script: 'http-methods.js', ends: 0 },
  { script: 'http-batch.js', ends: 0 },
  { script: 'http-cookies.js', ends: 0 },
  { script: 'kept-cookies.js', ends: 0 },
  { script: 'redirects.js', ends: 0 },
  { script: 'forms-and-links.js', ends: 0 },
  { script: 'file-upload.js', ends: 0 },
  { script: 'discarded-bodies.js', ends: 0 },
  { script: 'expected-statuses.js', ends: 0 },
  { script: 'timeouts.js', ends: 0 },
  { script: 'throwing-requests.js', ends: 0 },
  { script: 'no-connection-reuse.js', ends: 0 },
  { script: 'no-vu-connection-reuse.js', ends: 0 },
  { script: 'hosts-and-blocks.js', ends: 0 },
  { script: 'timings.js', ends: 0, within: { waiting_time: 60_000 } },
  { script: 'secure.js', ends: 0, target: 'secure' },
  {
    script: 'no-options.js',
    as: 'TLS by workload.options',
    ends: 0,
    target: 'secure',
    laidOver: { options: { insecureSkipTLSVerify: true }, alone: { K6_INSECURE_SKIP_TLS_VERIFY: 'true' } },
  },
  {
    script: 'client-certificate.js',
    ends: 0,
    target: 'mutual',
    env: ({ certificates }) => ({ CERTIFICATE: `${certificates}/client.pem`, CERTIFICATE_KEY: `${certificates}/client.key` }),
  },
  { script: 'named-host.js', ends: 0, target: 'named', env: ({ site }) => ({ PLACE: site.place }) },
  { script: 'names.js', ends: 0, tells: [/^ {2}a,b +6 /m, /^ {2}say "hi" +6 /m, /^ {2}a:b,c:d +6 /m, /^ {2}it's +6 /m] },
  {
    script: 'two-services.js',
    ends: 0,
    env: ({ site }) => ({ FRONT_URL: site.url, BACK_URL: site.url.replace('127.0.0.1', 'localhost') }),
    tells: [/^ {2}http:\/\/127\.0\.0\.1:\d+\/state +6 /m, /^ {2}http:\/\/localhost:\d+\/state +6 /m],
  },
];
