import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errorMessage, LoadctlError } from '../core/errors.js';
import { redactUrl, secretsInUrl } from '../core/secrets.js';
import { examples, textOption, withCommonOptions } from './call/options.js';
import type { CommandModule } from './call/types.js';
import { firstProfile, firstScript } from './first-files.js';

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
  if (secretsInUrl(url).length > 0) {
    throw new LoadctlError('usage', `--url ${redactUrl(url)} holds a secret, and a profile is read by many`, {
      hint: 'Write it without; give the whole of it as BASE_URL in the environment or in .env.',
    });
  }
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return url.replace(/\/+$/, '');
  throw new LoadctlError('usage', `--url ${redactUrl(url)} is not a valid URL`, { hint: `Write it as ${defaultUrl}` });
}

async function writeAll(folder: string, files: Readonly<Record<string, string>>, force: boolean): Promise<void> {
  const there = Object.keys(files).filter((name) => existsSync(join(folder, name)));
  if (there.length > 0 && !force) {
    throw new LoadctlError('usage', `${there.join(' and ')} ${there.length === 1 ? 'is' : 'are'} there already: nothing was written`, {
      hint: 'Overwrite with --force, or go to an empty folder.',
    });
  }
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    try {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, content);
    } catch (cause) {
      throw new LoadctlError('unavailable', `${name} cannot be written: ${errorMessage(cause)}`, {
        hint: 'Go to a folder that you may write to.',
        cause,
      });
    }
  }
}
