import type { LoggedEvent } from '../core/events.js';
import type { Screen } from '../core/os.js';
import type { Paint } from './paint.js';

/*
 * A reporter is a fold over events: it hears them one by one and says what they mean, on its screens. To add one: a
 * file here that exports a MakeReporter, and its line in index.ts.
 */

/** Says what happens, as it happens. */
export interface Reporter {
  handle(event: LoggedEvent): void;
  /** Leaves its screens as a shell expects them. May be called twice. */
  close(): void;
}

/** Where a reporter speaks, and how. */
export interface ReporterOptions {
  /** What goes on: progress, warnings. */
  readonly talk: Screen;
  readonly talkPaint: Paint;
  /** What came of it: the tables. Missing where nobody wants tables (`--json`). */
  readonly results?: Screen;
  readonly resultsPaint: Paint;
  /** Whether what the script says itself stands between marks that keep a CI system from reading commands in it. */
  readonly stopMarks?: boolean;
  /** On a terminal: the whole screen under load, a few lines below what was said, or whichever its size allows. */
  readonly view?: 'full' | 'short' | 'auto';
  /** Whether the terminal shows more than ASCII; it does where nothing is said. */
  readonly unicode?: boolean;
}

/** Makes a reporter. What it needs for drawing is loaded then, not before. */
export type MakeReporter = (options: ReporterOptions) => Promise<Reporter>;
