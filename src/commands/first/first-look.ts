import { join } from 'node:path';
import { LoadctlError } from '../../core/errors.js';
import { redactUrl } from '../../core/secrets.js';
import { firstLookScript } from '../../k6/shipped-scripts.js';
import { profileChoice, textOption } from '../call/options.js';
import type { MadeProfile } from '../call/profile.js';
import type { Call } from '../call/types.js';
import { literalUrl } from './urls.js';

/** Whether a word is a URL that `loadctl run` may look at. */
export function isWebUrl(word: string): boolean {
  return /^https?:\/\//i.test(word);
}

/**
 * The profile of a first look at one URL: 10 virtual users, each of whom asks for it once a second, for 30 s, and no limits. Its
 * host is on the allow-list, as it was typed; all other guards hold, so that what is not this machine has to be confirmed.
 * Throws `usage` where the call names a profile, too.
 */
export function firstLook(call: Call, typed: string): MadeProfile {
  const { cwd } = call.shell;
  if (!URL.canParse(typed))
    throw new LoadctlError('usage', `${redactUrl(typed)} is not a valid URL`, { hint: 'Write it as http://127.0.0.1:8080/path' });
  if (profileChoice(call).source !== undefined || textOption(call.options, 'plan') !== undefined) {
    throw new LoadctlError('usage', 'A URL is a first look without a profile, and the call names a profile as well', {
      hint: `Leave one of them out. To point a profile at a URL: --set target.url=${redactUrl(typed)}`,
    });
  }
  const { hostname, host, pathname } = new URL(typed);
  const environment = host
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');
  const profile = {
    environment,
    target: { url: literalUrl(typed) },
    workload: {
      script: firstLookScript(),
      vus: 10,
      duration: '30s',
      pacing: '1s',
      endpoints: { page: `GET ${pathname}` },
      mix: { page: '100%' },
    },
    runners: { backend: 'local', count: 1 },
    guards: { allow: [hostname.replaceAll(/^\[|\]$/g, '')], maxVus: 100, maxDuration: '10m' },
  };
  return { file: join(cwd, 'a-first-look-without-a-profile'), text: JSON.stringify(profile) };
}
