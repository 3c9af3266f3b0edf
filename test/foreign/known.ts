/** A form that fails on the tree as it is: whoever mends its cause takes its line out. */
export interface Known {
  /** The row of the table, or the sentence, of issue 12 that it belongs to. */
  readonly row: string;
  /** What is seen of it today. */
  readonly shows: RegExp;
}

const beside = 'grpc.load, and everything else that k6 resolves beside the main script';
const noVus = '{iterations: 10} or {duration: "2s"} without vus';
const readOnce = 'delayAbortEval: "250": options are read once, as k6 itself normalised them';
const rpsText = 'rps as a text, K6_RPS';
const archives = 'an archive as script';
const fed = '-e K6_ITERATIONS=4 -e K6_DURATION=1s';
const sameTarget = 'insecureSkipTLSVerify, hosts, tlsAuth: the look at the target takes the same options';
const byExecutor = 'iterations that end at maxDuration: advice by executor';
const zeroIsData = 'zero is data';
const withinRange = 'values and bounds lie within min and max';
const summaryAsK6 = 'handleSummary with the script’s options, its time, its console, noColor';
const failedSetup = 'setup() fails, and there is a handleSummary';
const oneLine = 'a script that logs, checks that fail: one line each';
const ownRows = 'request names with a comma or a quote';

/** By the form's name. */
export const known: Readonly<Record<string, Known>> = {
  'iterations-only.js': { row: noVus, shows: /exit code: k6 0, loadctl 104/ },
  'duration-only.js': { row: noVus, shows: /exit code: k6 0, loadctl 104/ },
  'max-duration.js': { row: byExecutor, shows: /does not tell .*maxDuration/ },
  'max-duration-shared.js': { row: byExecutor, shows: /does not tell .*maxDuration/ },
  'one-a-second.js': { row: '1/s, preAllocatedVUs 1', shows: /count iterations count: k6 [45], loadctl 3/ },
  'rps-text.js': { row: rpsText, shows: /request GET \/capped: k6 \d\d, loadctl \d{2,3}/ },
  'uncapped.js, K6_RPS': { row: rpsText, shows: /request GET \/capped: k6 \d\d, loadctl \d{2,3}/ },
  'uncapped.js, workload.options.rps as a text': { row: rpsText, shows: /request GET \/capped: k6 \d\d, loadctl \d{2,3}/ },
  'any-case-options.js': { row: readOnce, shows: /threshold http_reqs: k6 "met 1", loadctl nothing/ },
  'fed-k6-names.js, fed': { row: fed, shows: /exit code: k6 0, loadctl 104/ },
  'shared-iterations.js, archived': { row: archives, shows: /exit code: k6 0, loadctl 104/ },
  'shared-array.js, archived': { row: archives, shows: /exit code: k6 0, loadctl 104/ },
  'setup-data.js, archived': { row: archives, shows: /exit code: k6 0, loadctl 104/ },
  'wanted-variable.js': { row: '`k6 run shows the same` where a variable of the shell is missing', shows: /does not tell .*ACCOUNT/ },
  'secure.js': { row: sameTarget, shows: /exit code: k6 0, loadctl 115/ },
  'no-options.js, TLS by workload.options': { row: sameTarget, shows: /exit code: k6 0, loadctl 115/ },
  'client-certificate.js': { row: sameTarget, shows: /exit code: k6 0, loadctl 115/ },
  'named-host.js': { row: sameTarget, shows: /exit code: k6 0, loadctl 115/ },
  'names.js': { row: ownRows, shows: /does not tell .*a,b[\s\S]*does not tell .*say "hi"/ },
  'vu-global.js': { row: '`__VU` to pick an account', shows: /request GET \/login\/ann: k6 1, loadctl 3/ },
  'stage-tags.js': {
    row: 'exec.test.options in each iteration',
    shows: /options\/\d{4}\/stages\/1\/\S*suite\/http_req_failed: k6 0, loadctl 12/,
  },
  'exported-options.js': {
    row: 'exec.test.options in each iteration: the script sees its own options, as k6 completed them',
    shows: /own\/3\/6\/http_req_failed\/6: k6 6, loadctl 0/,
  },
  'grpc-load.js': { row: beside, shows: /exit code: k6 0, loadctl 107/ },
  'grpc-call.js': { row: beside, shows: /exit code: k6 0, loadctl 107/ },
  'grpc-only.js': { row: 'a target that speaks HTTP/2 without TLS only', shows: /exit code: k6 0, loadctl 115/ },
  'fs-open.js': { row: beside, shows: /exit code: k6 0, loadctl 107/ },
  'csv-parse.js': { row: beside, shows: /exit code: k6 0, loadctl 107/ },
  'all-metrics.js': { row: withinRange, shows: /threshold price: k6 "met 6", loadctl "met 5, missed 1"/ },
  'two-values.js': { row: withinRange, shows: /threshold steps: k6 "met 3", loadctl "met 2, missed 1"/ },
  'delay-as-text.js': { row: readOnce, shows: /exit code: k6 99, loadctl 0/ },
  'never-added-rate.js': { row: zeroIsData, shows: /threshold errors: k6 "met 1", loadctl "no data 1"/ },
  'shown-sub-metric.js': { row: zeroIsData, shows: /threshold http_req_duration\{status:500\}: k6 "met 1", loadctl "no data 1"/ },
  'setup-throws-summary.js': { row: failedSetup, shows: /file junit\.xml: k6 .*, loadctl nothing/ },
  'abort-in-setup.js': { row: failedSetup, shows: /count http_reqs count: k6 1, loadctl 0/ },
  'talkative.js': { row: oneLine, shows: /does not tell .*runners/ },
  'groups-and-checks.js, what failed': { row: oneLine, shows: /does not tell .*odd rounds/ },
  'summary-posts.js': { row: summaryAsK6, shows: /request POST \/reports: k6 1, loadctl 0/ },
  'summary-talks.js': { row: summaryAsK6, shows: /does not tell .*summed up/ },
  'summary-colours.js, without colours': { row: summaryAsK6, shows: /file colours\.txt: k6 "true", loadctl "false"/ },
  'summary-too-long.js': { row: summaryAsK6, shows: /did not end by itself/ },
};
