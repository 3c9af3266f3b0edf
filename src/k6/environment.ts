/** k6's own variables in the user's environment: they would change the test, so they are not handed on. */
export function foreignK6Variables(env: Readonly<Record<string, string | undefined>>): string[] {
  return Object.keys(env)
    .filter((name) => name.startsWith('K6_') && env[name] !== undefined)
    .sort();
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
