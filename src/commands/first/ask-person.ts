import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { LoadctlError } from '../../core/errors.js';
import type { Shell } from '../../core/os.js';
import type { Outline, OutlineTable } from '../../stores/postgres/outline/types.js';
import { defaultUrl, type Flags, flagsAlone } from './ask-flags.js';
import type { Asker } from './asker.js';
import { cacheProblem, databaseProblem, urlProblem, withPassword } from './urls.js';

const nothingWritten = 'Interrupted while loadctl asked; nothing was written.';

/** A person at the terminal: asked for what flags do not say. Ctrl-C throws `interrupted`. */
export async function personAtTerminal(
  shell: Pick<Shell, 'keyboard' | 'stderr' | 'cwd'>,
  flags: Flags,
  signal: AbortSignal,
): Promise<Asker> {
  const clack = await import('@clack/prompts');
  const { keyboard: input } = shell;
  const screen = { ...(input === undefined ? {} : { input }), output: shell.stderr.stream, signal };
  const answered = <T>(answer: T): Exclude<T, symbol> => {
    if (clack.isCancel(answer)) throw new LoadctlError('interrupted', nothingWritten);
    return answer as Exclude<T, symbol>;
  };
  const ask = async (
    message: string,
    more: { placeholder?: string; defaultValue?: string; problem?: (text: string) => string | undefined },
  ) => {
    const { problem, ...shown } = more;
    const validate = (text = '') => (text.trim() === '' ? undefined : problem?.(text.trim()));
    return answered(await clack.text({ message, ...shown, validate, ...screen })).trim();
  };
  const confirm = async (message: string, initialValue: boolean) => answered(await clack.confirm({ message, initialValue, ...screen }));
  const optional = (text: string) => (text === '' ? undefined : text);
  const place = async (message: string, placeholder: string, problem: (url: string) => string | undefined) => {
    const url = optional(await ask(message, { placeholder, defaultValue: '', problem }));
    if (url === undefined || new URL(url).password !== '') return url;
    const password = answered(await clack.password({ message: 'Its password? It goes into no file; empty for none.', ...screen })) ?? '';
    return password === '' ? url : withPassword(url, password);
  };
  const given = flagsAlone(flags);
  clack.intro('loadctl init: a first profile. Ctrl-C ends it, and nothing is written.', screen);
  return {
    url: async () =>
      flags.url ??
      (await ask('Where does the service answer?', { placeholder: defaultUrl, defaultValue: defaultUrl, problem: urlProblem })),
    script: async () => {
      const missing = (text: string) => {
        const found = statSync(resolve(shell.cwd, text), { throwIfNoEntry: false });
        return found?.isFile() ? undefined : `${text} ${found === undefined ? 'does not exist' : 'is not a file'}`;
      };
      const question = 'A k6 script of yours? Its path; empty for a new one.';
      return flags.script ?? optional(await ask(question, { placeholder: 'load/shop.js', defaultValue: '', problem: missing }));
    },
    db: async () =>
      flags.db ??
      place('A Postgres that needs test rows? Its URL; empty for none.', 'postgres://user@127.0.0.1:5432/shop', databaseProblem),
    redis: async () =>
      flags.redis ?? place('A Redis that the service uses? Its URL; empty for none.', 'redis://127.0.0.1:6379', cacheProblem),
    mayRead: (where) =>
      confirm(`May loadctl read the catalog of ${where}? Tables, columns and keys, in transactions that cannot write; no rows.`, true),
    tables: async (outline, usual) => {
      if (flags.tables !== undefined || outline.tables.length === 0) return given.tables(outline, usual);
      return answered(await clack.multiselect(choices(outline, usual, screen)));
    },
    ci: async () => flags.ci && (await confirm('A GitHub workflow that tests staging each night?', true)),
    write: (files) => confirm(`Write ${files.join(', ')}?`, true),
  };
}

function choices<Screen extends object>({ tables }: Outline, usual: readonly OutlineTable[], screen: Screen) {
  return {
    message: 'Which tables need test rows? What these need is added, and what hangs on them is cleaned up.',
    options: tables.map((value) => ({ value, label: value.inProfile })),
    initialValues: [...usual],
    maxItems: 12,
    required: false,
    ...screen,
  };
}
