import { platform } from 'node:os';
import type { World } from '../../core/os.js';
import { textOf } from '../runner/files.js';

/** Below these are accounts of the system itself. */
const firstOfPeople = platform() === 'darwin' ? 501 : 1000;
const shell = /\/(?:\w*sh|fish|nu)$/;

/** The names of accounts of this machine, other than root's and our own, that somebody can log in by; undefined where it does not tell. */
export async function otherLogins({ execute, env }: Pick<World, 'execute' | 'env'>): Promise<readonly string[] | undefined> {
  const PATH = env.PATH ?? '';
  const list = platform() === 'darwin' ? await macAccounts(execute) : await accounts(execute, PATH);
  const own = await execute({ file: 'id', args: ['-u'], env: { PATH } });
  if (list === undefined || own.exitCode !== 0) return undefined;
  return list.filter(({ uid, logsIn }) => logsIn && uid >= firstOfPeople && uid !== Number(own.stdout)).map(({ name }) => name);
}

interface Account {
  readonly name: string;
  readonly uid: number;
  readonly logsIn: boolean;
}

/** passwd(5), by way of whatever directory the machine asks. */
async function accounts(execute: World['execute'], PATH: string): Promise<Account[] | undefined> {
  const asked = await execute({ file: 'getent', args: ['passwd'], env: { PATH } }, { timeoutMs: 5000 });
  const text = asked.exitCode === 0 ? asked.stdout : await textOf('/etc/passwd');
  return text?.split('\n').map((line) => {
    const [name = '', , uid, , , , runs = ''] = line.split(':');
    return { name, uid: Number(uid ?? -1), logsIn: shell.test(runs) };
  });
}

async function macAccounts(execute: World['execute']): Promise<Account[] | undefined> {
  const asked = await execute({ file: '/usr/bin/dscl', args: ['.', '-list', '/Users', 'UniqueID'], env: {} }, { timeoutMs: 5000 });
  if (asked.exitCode !== 0) return undefined;
  return asked.stdout.split('\n').map((line) => {
    const [name = '', uid] = line.split(/\s+/);
    return { name, uid: Number(uid ?? -1), logsIn: !name.startsWith('_') };
  });
}
