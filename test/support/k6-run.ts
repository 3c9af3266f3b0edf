import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The shipped workload. */
export const workload = fileURLToPath(new URL('../../k6/reservations.ts', import.meta.url));

/** One value that k6 measured. */
export interface Sample {
  readonly metric: string;
  readonly value: number;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly tags: Readonly<Record<string, string>>;
}

/** What a k6 process said and measured. */
export interface K6Run {
  readonly code: number;
  readonly output: string;
  readonly samples: readonly Sample[];
}

/** Runs the shipped workload with a stock k6, with nothing but `env` in its environment. */
export async function runWorkload(flags: readonly string[], env: Readonly<Record<string, string>>): Promise<K6Run> {
  const folder = mkdtempSync(join(tmpdir(), 'loadctl-k6-'));
  const file = join(folder, 'samples.json');
  try {
    const { code, output } = await k6(['run', '--quiet', '--no-usage-report', '--out', `json=${file}`, ...flags, workload], {
      HOME: folder,
      ...env,
    });
    return { code, output, samples: readSamples(file) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs k6 to its end. */
export function k6(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  cwd?: string,
): Promise<{ code: number; output: string }> {
  const options = { env: { PATH: process.env.PATH, K6_AUTO_EXTENSION_RESOLUTION: 'false', ...env }, cwd, maxBuffer: 2 ** 26 };
  return new Promise((resolve) => {
    execFile(process.env.LOADCTL_K6 ?? 'k6', args, options, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), output: stdout + stderr }),
    );
  });
}

function readSamples(file: string): Sample[] {
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.includes('"type":"Point"'));
  return lines.map((line) => {
    const { metric, data }: { metric: string; data: { value: number; time: string; tags: Record<string, string> | null } } =
      JSON.parse(line);
    return { metric, value: data.value, at: Date.parse(data.time), tags: data.tags ?? {} };
  });
}
