import type { Command } from 'commander';
import type { ExitReason } from '../../core/errors.js';
import type { Shell } from '../../core/os.js';
import type { Redactor } from '../../core/redactor.js';
import type { Questions } from './question.js';

/*
 * A subcommand is flags, a call, and what came of it. To add one: a file here that exports `command`, and its line in
 * table.ts. It prints nothing: the shell prints its outcome, its errors, and hears its events.
 */

/** What a subcommand is. */
export interface CommandModule {
  /** Adds description, arguments, options and examples to a bare command of that name. */
  describe(command: Command): Command;
  /** The first argument that it does not take, where their number alone does not say so. */
  stray?(args: readonly string[]): string | undefined;
  /** Does it. Throws what ends it. */
  run(call: Call): Promise<Outcome>;
}

/** One call of a subcommand. */
export interface Call {
  readonly shell: Shell;
  /** loadctl's own version. */
  readonly version: string;
  readonly args: readonly string[];
  /** As commander read them; each command knows its own. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly style: CallStyle;
  /** Knows what may not be shown: the secrets that were typed, and those of the profile once it is read. */
  readonly redact: Redactor;
  /** How questions get to who follows from elsewhere; without it they are asked at this terminal. */
  readonly questions?: Questions;
}

/** How the person or program that called wants to be spoken to. */
export interface CallStyle {
  readonly json: boolean;
  /** A CI system reads along: it may take lines for commands. */
  readonly ci: boolean;
  readonly quiet: boolean;
  /** Whether each of the two streams may be coloured. */
  readonly colour: { readonly stdout: boolean; readonly stderr: boolean };
  /** Whether progress may be drawn: on a terminal, outside of CI. */
  readonly animated: boolean;
  /** Whether it may be where somebody asks for it: on a terminal that can. */
  readonly canDraw: boolean;
  /** Whether the terminal shows more than ASCII. */
  readonly unicode: boolean;
}

/** What came of a call. */
export interface Outcome {
  /** Everything that the exit status could be; empty for a pass. */
  readonly reasons: readonly ExitReason[];
  /** What `--json` prints. */
  readonly data: Readonly<Record<string, unknown>>;
  /** What is printed without it; empty where all was said by the reporter. */
  readonly text: string;
  /** Errors that did not keep the command from its end: bugs, reports that could not be written. */
  readonly bugs?: readonly unknown[];
}
