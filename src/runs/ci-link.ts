import type { World } from '../core/os.js';
import { redactUrl } from '../core/secrets.js';

/** The page of the CI job that this is, where its system says so. */
export function ciLink(env: World['env']): string | undefined {
  if (env.GITHUB_SERVER_URL && env.GITHUB_REPOSITORY && env.GITHUB_RUN_ID) {
    return `${env.GITHUB_SERVER_URL}/${env.GITHUB_REPOSITORY}/actions/runs/${env.GITHUB_RUN_ID}`;
  }
  const link = env.CI_JOB_URL ?? env.BUILD_URL;
  return link === undefined ? undefined : redactUrl(link);
}
