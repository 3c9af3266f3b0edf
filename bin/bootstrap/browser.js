import { aptInstall, aptPrefix } from './apt.js';
import { onPath } from './shell.js';

/** The browser that the page is looked at with. Where it cannot be installed those tests fail: they say what is missing. */
export async function browser(_status, note) {
  const found = program();
  if (found) return found;
  const asRoot = await aptPrefix();
  if (!asRoot) return 'chromium missing, with no apt-get to install it: the tests of the page will fail';
  const how = await aptInstall(asRoot, ['chromium'], 'chromium', note);
  return `${program() ?? 'not found'}, by ${how}`;
}

function program() {
  return onPath(['chromium', 'chromium-browser']);
}
