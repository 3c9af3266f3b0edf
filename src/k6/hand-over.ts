import { ownOptions } from './wrapper.js';

/** Where the module that hands merged data over is told to write. */
export interface HandOverFiles {
  /** What the user's handleSummary threw, if it did. */
  readonly thrown: string;
  /** What it wants on stderr, which k6 would mix into its log. */
  readonly stderr: string;
}

/** What is handed over, and to whom. Modules are named by URL. */
export interface HandOver {
  readonly before: string;
  readonly script: string;
  /** What k6 would hand to handleSummary. */
  readonly data: unknown;
  /** The test's options as the script sees them. */
  readonly own: Readonly<Record<string, unknown>>;
  readonly files: HandOverFiles;
}

/** The line of k6's log after which only handleSummary speaks, and no init code any more. */
export const handOverMark = 'loadctl-hand-over';

/**
 * A k6 module whose handleSummary is the user's own, called once with merged data. Its one iteration does nothing, and
 * it always hands k6 something: else k6 would print a summary of that iteration.
 */
export function handOverSource({ before, script, data, own, files }: HandOver): string {
  return `import ${JSON.stringify(before)};
import * as user from ${JSON.stringify(script)};
${ownOptions(own)}
export default function () {}
export async function handleSummary() {
  console.log('${handOverMark}');
  try {
    // k6 has the key setup_data also where there is no setup().
    const made = await user.handleSummary({ setup_data: undefined, ...${JSON.stringify(data)} });
    if (!made) return {};
    if (Object(made) !== made || !('stderr' in made)) return made;
    const { stderr, ...rest } = made;
    return { ...rest, [${JSON.stringify(files.stderr)}]: stderr };
  } catch (error) {
    return { [${JSON.stringify(files.thrown)}]: String((error && error.stack) || error) };
  }
}
`;
}
