import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { aptInstall, aptPrefix } from '../../bin/bootstrap/apt.js';
import { onPath } from '../../bin/bootstrap/shell.js';

/** The path of psql, which is installed where it is missing and apt-get is there. */
export async function psqlPath() {
  if (!onPath(['psql'])) {
    const asRoot = await aptPrefix();
    if (!asRoot) throw new Error('psql is needed to compare with: install the PostgreSQL client');
    await aptInstall(asRoot, ['postgresql-client'], 'postgresql', console.error);
  }
  return 'psql';
}

/** Runs SQL with psql, and hands back what it says. */
export function sql(url, ...statements) {
  return execFileSync('psql', ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', ...statements.flatMap((one) => ['-c', one]), url], {
    encoding: 'utf8',
  }).trim();
}

/** The most memory that a process has had so far, in MB; 0 where Linux does not tell. */
export function peakMemory(pid) {
  try {
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}
