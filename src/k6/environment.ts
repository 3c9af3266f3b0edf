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
  BLACKLIST_IPS BLOCK_HOSTNAMES HOSTS LOCAL_IPS NO_CONNECTION_REUSE NO_VU_CONNECTION_REUSE MIN_ITERATION_DURATION SUMMARY_TREND_STATS
  SUMMARY_TIME_UNIT SYSTEM_TAGS TAGS METRIC_SAMPLES_BUFFER_SIZE NO_COOKIES_RESET DISCARD_RESPONSE_BODIES`
    .split(/\s+/)
    .map((name) => `K6_${name}`),
);

/** Of k6's own variables those that its modules read while a script runs. */
const ofModules = /^K6_(?:BROWSER_\w+|SECRET_SOURCE\w*|INSTANCE_SCENARIOS|TRACES_OUTPUT)$/;

/** What a variable of k6 is about: an option of the test, a module, or how k6 itself is started, logs and reports, which is loadctl's. */
export function meaningOf(variable: string): 'option' | 'module' | 'k6' {
  if (ofOptions.has(variable)) return 'option';
  return ofModules.test(variable) ? 'module' : 'k6';
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

/**
 * Which of a script's variables k6 itself must not see; the script sees them all. `ofScript` are those that were given with `-e`,
 * as k6's own `-e` gives them. Options are heard when the script is inspected, and are the archive's from then on: a runner would
 * put them in the place of its share, its sub-metrics or its numbers.
 */
export function unseenByK6(
  variables: readonly string[],
  ofScript: readonly string[],
): { readonly inspecting: readonly string[]; readonly running: readonly string[] } {
  const unless = (...heard: string[]) =>
    variables.filter((name) => name.startsWith('K6_') && (ofScript.includes(name) || !heard.includes(meaningOf(name))));
  return { inspecting: unless('option', 'module'), running: unless('module') };
}

/** Whether the variables that k6 sees give it a load, without the VUs that it would make it with. */
export function loadByVariables(variables: Readonly<Record<string, string>>, ofScript: readonly string[]): boolean {
  return ['K6_DURATION', 'K6_ITERATIONS'].some((name) => Object.hasOwn(variables, name) && !ofScript.includes(name));
}
