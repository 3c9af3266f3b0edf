/** k6's own variables in the user's environment: they would change the test, so they are not handed on. */
export function foreignK6Variables(env: Readonly<Record<string, string | undefined>>): string[] {
  return Object.keys(env)
    .filter((name) => name.startsWith('K6_') && env[name] !== undefined)
    .sort();
}

/** Variables of k6 whose names are those of options, which a profile says in `workload.options` (k6: lib.Options). */
const ofOptions = new Set(
  `PAUSED VUS DURATION ITERATIONS STAGES NO_SETUP SETUP_TIMEOUT NO_TEARDOWN TEARDOWN_TIMEOUT HANDLE_SUMMARY_TIMEOUT RPS DNS
  MAX_REDIRECTS USER_AGENT BATCH BATCH_PER_HOST HTTP_DEBUG INSECURE_SKIP_TLS_VERIFY TLS_CIPHER_SUITES TLSAUTH THROW THRESHOLDS
  BLACKLIST_IPS BLOCK_HOSTNAMES HOSTS NO_CONNECTION_REUSE NO_VU_CONNECTION_REUSE MIN_ITERATION_DURATION SUMMARY_TREND_STATS
  SUMMARY_TIME_UNIT SYSTEM_TAGS TAGS METRIC_SAMPLES_BUFFER_SIZE NO_COOKIES_RESET DISCARD_RESPONSE_BODIES`
    .split(/\s+/)
    .map((name) => `K6_${name}`),
);

/** Whether a variable of k6 sets one of its options: others (`K6_BROWSER_ARGS`, `K6_SECRET_SOURCE`) have no option for it. */
export function setsOption(variable: string): boolean {
  return ofOptions.has(variable);
}

/** What a k6 process is started with besides the script's own variables. */
export interface K6Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
}

/**
 * The whole environment of a k6 process (design §5): PATH, HOME, the script's variables, and nothing that the user's
 * shell happens to hold.
 */
export function k6Environment({ env, home }: K6Surroundings, script: Readonly<Record<string, string>>): Record<string, string> {
  return {
    PATH: env.PATH ?? '/usr/local/bin:/usr/bin:/bin',
    HOME: home,
    ...script,
    K6_AUTO_EXTENSION_RESOLUTION: 'false',
    K6_NO_USAGE_REPORT: 'true',
  };
}

/** Variables by which k6 is told how much load to make. */
const loadVariables = ['K6_VUS', 'K6_DURATION', 'K6_ITERATIONS', 'K6_STAGES'];

/**
 * Variables of k6 that are heard when the script is inspected, and are in the archive's options then. A runner would put
 * them in the place of its share, its sub-metrics or its numbers.
 */
const heardBefore = [
  ...loadVariables,
  'K6_RPS',
  'K6_PAUSED',
  'K6_THRESHOLDS',
  'K6_NO_THRESHOLDS',
  'K6_SUMMARY_TREND_STATS',
  'K6_SUMMARY_MODE',
  'K6_SUMMARY_EXPORT',
  'K6_NEW_MACHINE_READABLE_SUMMARY',
];

/** Which variables of a script k6 itself must not see: `ofScript` are those that were given with `-e`, as k6's own `-e` gives them. */
export function unseenByK6(ofScript: readonly string[]): { readonly inspecting: readonly string[]; readonly running: readonly string[] } {
  const inspecting = ofScript.filter((name) => name.startsWith('K6_'));
  return { inspecting, running: [...inspecting, ...heardBefore] };
}

/** Whether the variables that k6 sees give it a load, without the VUs that it would make it with. */
export function loadByVariables(variables: Readonly<Record<string, string>>, ofScript: readonly string[]): boolean {
  return ['K6_DURATION', 'K6_ITERATIONS'].some((name) => Object.hasOwn(variables, name) && !ofScript.includes(name));
}
