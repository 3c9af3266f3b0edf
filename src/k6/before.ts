/** What the names of variables begin with that only the script may see: k6 itself would take `K6_VUS` for an option. */
const hiddenPrefix = 'LOADCTL_ENV_';

/**
 * What k6 gives variables that no process of it may see as its own: other names, which {@link beforeSource} turns back
 * for the script.
 */
export function hideFromK6(variables: Readonly<Record<string, string>>, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    Object.entries(variables).map(([name, value]) => [names.includes(name) ? `${hiddenPrefix}${name}` : name, value]),
  );
}

/**
 * A k6 module to be imported before the user's: gives the script its variables under their own names (k6 makes `__ENV` anew
 * whenever a VU comes to a scenario), and each VU a `__VU` that no other VU of the fleet has. A runner's n-th VU is the
 * fleet's (n-1)·runners + runner, which is `exec.vu.idInTest`: k6 deals VUs out to equal segments in turn.
 */
export const beforeSource = (runners: number): string => `// Made by loadctl: what a script must find before its own first line.
function uncover(env) {
  for (const name of Object.keys(env)) {
    if (!name.startsWith('${hiddenPrefix}')) continue;
    env[name.slice(${hiddenPrefix.length})] = env[name];
    delete env[name];
  }
  return env;
}
if (Object.keys(__ENV).some((name) => name.startsWith('${hiddenPrefix}'))) {
  let env = uncover(__ENV);
  Object.defineProperty(globalThis, '__ENV', { get: () => env, set: (made) => (env = uncover(made)), enumerable: true });
}
if (__VU > 0 && __ENV.LOADCTL_RUNNER) globalThis.__VU = (__VU - 1) * ${runners} + Number(__ENV.LOADCTL_RUNNER);
`;
