import { aptInstall, aptPrefix } from './apt.js';
import { onPath } from './shell.js';

/** What the tests of completion start besides bash. Where they cannot be installed those tests are skipped. */
export async function shells(_status, note) {
  const missing = ['zsh', 'fish'].filter((name) => !onPath([name]));
  if (missing.length === 0) return 'zsh, fish';
  const asRoot = await aptPrefix();
  if (!asRoot) return `missing, with no apt-get to install it: completion is not tested in ${missing.join(' and ')}`;
  return `zsh, fish, by ${await aptInstall(asRoot, missing, undefined, note)}`;
}
