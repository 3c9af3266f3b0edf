import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errorCode, errorMessage, LoadctlError } from '../core/errors.js';
import { firstProfile, firstScript } from './first-files.js';
import { examples, textOption, withCommonOptions } from './options.js';
import type { CommandModule } from './types.js';

const defaultUrl = 'http://127.0.0.1:8080';

/** loadctl init */
export const command: CommandModule = {
  describe: (command) =>
    withCommonOptions(command)
      .option('--url <URL>', 'where the service under test answers', defaultUrl)
      .option('--force', 'overwrite files that are there already')
      .description('Writes a first profile (profiles/dev.yaml) and a k6 script (k6/first.js) into this folder.')
      .addHelpText(
        'after',
        examples([
          ['loadctl init', `for a service at ${defaultUrl}`],
          ['loadctl init --url http://127.0.0.1:3000', 'for one elsewhere'],
        ]),
      ),
  run: async ({ shell, options }) => {
    const url = checkedUrl(textOption(options, 'url') ?? defaultUrl);
    const files = { 'profiles/dev.yaml': firstProfile(url), 'k6/first.js': firstScript };
    await writeAll(shell.cwd, files, options.force === true);
    const next = ['loadctl plan --env dev', 'loadctl run --env dev'];
    const written = Object.keys(files);
    const text = `Written: ${written.join(', ')}\n\nNext, with your service up at ${url}:\n${next.map((line) => `  ${line}`).join('\n')}\n`;
    return { reasons: [], data: { written, next }, text };
  },
};

function checkedUrl(url: string): string {
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return url.replace(/\/+$/, '');
  throw new LoadctlError('usage', `--url ${url} is no URL`, { hint: `Write it as ${defaultUrl}` });
}

async function writeAll(folder: string, files: Readonly<Record<string, string>>, force: boolean): Promise<void> {
  const begun: string[] = [];
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    try {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, content, { flag: force ? 'w' : 'wx' });
      begun.push(name);
    } catch (cause) {
      throw cannotWrite(name, begun, cause);
    }
  }
}

function cannotWrite(name: string, begun: readonly string[], cause: unknown): LoadctlError {
  const lines = begun.length > 0 ? [`Written already: ${begun.join(', ')}`] : [];
  if (errorCode(cause) === 'EEXIST') {
    return new LoadctlError('usage', `${name} is there already: it is not overwritten`, {
      lines,
      hint: 'Overwrite it with --force, or go to an empty folder.',
      cause,
    });
  }
  return new LoadctlError('unavailable', `${name} cannot be written: ${errorMessage(cause)}`, {
    lines,
    hint: 'Go to a folder that you may write to.',
    cause,
  });
}
