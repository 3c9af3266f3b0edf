import type { Emit, Preview } from '../../core/events.js';
import type { Screen, Shell } from '../../core/os.js';
import { redactData } from '../../core/redact-data.js';
import { loadPaint } from '../../reporters/paint.js';
import { renderPreview } from '../../reporters/preview.js';
import { styleOn } from './style.js';
import type { Call, CallStyle } from './types.js';

/** What a person is shown, and asked to type. */
export interface Question {
  readonly shown: Preview;
  /** Without it nothing is asked. */
  readonly prompt?: string;
}

/** What tells of a question, and ends it. */
export interface QuestionMeans {
  readonly emit: Emit;
  readonly signal: AbortSignal;
}

/** How questions get to a person who is not at this process's terminal. */
export interface Questions {
  /** The line that was typed; undefined where nobody answers in time, or `signal` aborts. */
  ask(question: Question, means: QuestionMeans): Promise<string | undefined>;
}

/** The terminal that something is shown on before a question. */
export interface Showing {
  readonly shell: { readonly stderr: Pick<Screen, 'write' | 'isTerminal' | 'width'> };
  readonly style: Pick<CallStyle, 'colour'>;
}

/** The same with the person at it. */
export interface Asking extends Showing {
  readonly shell: Showing['shell'] & Pick<Shell, 'ask'>;
}

/** Asks the person who typed the command, at this terminal or wherever it is followed; undefined where nobody can answer. */
export async function askQuestion(
  call: Asking & Pick<Call, 'redact' | 'questions'>,
  question: Question,
  means: QuestionMeans,
): Promise<string | undefined> {
  const { shown, prompt } = redactData(question, call.redact);
  const asked = { shown, ...(prompt === undefined ? {} : { prompt }) };
  if (call.questions !== undefined) return call.questions.ask(asked, means);
  const show = await previewScreen(call);
  show(shown);
  return prompt === undefined ? undefined : call.shell.ask(prompt, means.signal);
}

/** Shows what a question is about on this terminal, wherever it was asked; as wide as the terminal is by then. */
export async function previewScreen({ shell, style }: Showing): Promise<(shown: Preview | string) => void> {
  const paint = await loadPaint(style.colour.stderr);
  return (shown) => shell.stderr.write(renderPreview(shown, styleOn(shell.stderr, paint)));
}
