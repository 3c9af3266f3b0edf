import { statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { LoadctlError } from '../../core/errors.js';
import { readVariables } from '../../k6/script-files.js';
import { type ForeseenLoad, fieldsOf } from '../../plan/inspection.js';
import { foresee } from '../call/foresee.js';
import { planProfile } from '../call/profile.js';
import type { Call } from '../call/types.js';
import type { ReadScript } from './answers.js';

/** Has k6 look at an own script, where one is here: nothing of it runs but its init code. Throws `usage` where there is no such file. */
export async function readScript(call: Call, named: string, url: string): Promise<ReadScript> {
  const { cwd } = call.shell;
  const file = resolve(cwd, named);
  const found = statSync(file, { throwIfNoEntry: false });
  if (!found?.isFile()) {
    throw new LoadctlError('usage', `--script ${named} ${found === undefined ? 'does not exist' : 'is not a file'}; nothing was written`, {
      hint: 'Name a k6 script of yours, or leave it out: loadctl init writes a first one.',
    });
  }
  const text = JSON.stringify({ environment: 'init', target: { url }, workload: { script: file } });
  const foreseen = await foresee(call, await planProfile(call, 'optional', { file: join(cwd, 'profiles', 'init.yaml'), text }));
  const own = { path: relative(cwd, file), variables: readVariables(file).filter((name) => !/^(BASE_URL$|LOADCTL_|K6_)/.test(name)) };
  if (!('load' in foreseen)) return { ...own, thresholds: {}, unread: oneLine(foreseen.because) };
  const { load, inspection } = foreseen;
  return { ...own, thresholds: thresholdsOf(inspection.options.thresholds), ...(isLeftOpen(load) ? {} : { load }) };
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}

/** What k6 makes of a script without scenarios, VUs or a duration: one iteration. */
function isLeftOpen({ vus, scenarios }: ForeseenLoad): boolean {
  const [only, ...others] = scenarios;
  return others.length === 0 && only?.name === 'default' && only.iterations === 1 && vus === 1;
}

function thresholdsOf(thresholds: unknown): Record<string, string[]> {
  const list = (value: unknown) => (Array.isArray(value) ? value : [value]);
  const textOf = (one: unknown) => (typeof one === 'string' ? one : String(fieldsOf(one).threshold ?? ''));
  return Object.fromEntries(Object.entries(fieldsOf(thresholds)).map(([metric, limits]) => [metric, list(limits).map(textOf)]));
}
