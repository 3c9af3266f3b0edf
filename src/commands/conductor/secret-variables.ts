import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Variables by the files of a folder, as the kubelet mounts a Secret: each file's name is a variable, its content the value
 * without a last newline. Names that no profile can write are passed over (`..data` is the kubelet's own). None without a folder.
 */
export async function secretVariables(folder: string | undefined): Promise<Record<string, string>> {
  if (folder === undefined) return {};
  const names = (await readdir(folder)).filter((name) => /^[A-Za-z_]\w*$/.test(name));
  const values = names.map(async (name) => [name, (await readFile(join(folder, name), 'utf8')).replace(/\r?\n$/, '')] as const);
  return Object.fromEntries(await Promise.all(values));
}
