import type { Emit } from '../../core/events.js';
import type { TableStyle } from '../../reporters/table.js';
import { tableStyle } from './style.js';
import type { Call } from './types.js';

/** What a person is shown, and asked to type. */
export interface Question {
  /** Whole lines. */
  readonly shown: string;
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
  /** How a table is drawn for whom it is asked of. */
  readonly style: TableStyle;
  /** The line that was typed; undefined where nobody answers in time, or `signal` aborts. */
  ask(question: Question, means: QuestionMeans): Promise<string | undefined>;
}

/** Asks the person who typed the command, at this terminal or wherever it is followed; undefined where nobody can answer. */
export async function askQuestion(
  { shell, questions }: Pick<Call, 'shell' | 'questions'>,
  question: Question,
  means: QuestionMeans,
): Promise<string | undefined> {
  if (questions !== undefined) return questions.ask(question, means);
  const { shown, prompt } = question;
  shell.stderr.write(shown);
  return prompt === undefined ? undefined : shell.ask(prompt, means.signal);
}

/** How a table in a question is drawn. */
export async function questionStyle(call: Call): Promise<TableStyle> {
  return call.questions?.style ?? tableStyle(call, 'stderr');
}
