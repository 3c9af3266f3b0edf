import type { LoggedEvent, Preview } from '../../core/events.js';
import type { Shell } from '../../core/os.js';
import type { DoorClient } from '../../door/client.js';
import { type Following, insist } from '../../door/follow.js';
import { type Asking, previewScreen } from '../call/question.js';

/** Who may be asked, and where answers go. */
interface Answering {
  readonly door: Pick<DoorClient, 'state' | 'answer'>;
  readonly following: Following;
  /** Leaves, where this loadctl did not begin it: what nobody answers here, somebody else may. Without it that counts as no. */
  readonly leave?: (() => void) | undefined;
}

/** Hears events; those that ask are shown, and what is typed is the answer. */
export async function answerQuestions(
  call: Asking & { readonly shell: Pick<Shell, 'keyboard'> },
  { door, following, leave }: Answering,
): Promise<(event: LoggedEvent) => void> {
  const { shell } = call;
  const show = await previewScreen(call);
  const asked = new Map<number, AbortController>();
  const ask = async (question: number, shown: Preview | string, prompt: string) => {
    const settled = new AbortController();
    asked.set(question, settled);
    const state = await insist(following, () => door.state());
    if (state?.question !== question) return; // it was settled long ago
    show(shown);
    if (leave !== undefined && shell.keyboard === undefined) return;
    const text = await shell.ask(prompt, AbortSignal.any([settled.signal, following.signal]));
    if (settled.signal.aborted || following.signal.aborted) return;
    if (text === undefined && leave !== undefined) return leave();
    await insist(following, () => door.answer({ question, text: text ?? null }));
  };
  return (event) => {
    if (event.type === 'question-settled') asked.get(event.question)?.abort();
    if (event.type !== 'question-asked') return;
    const { question, shown, prompt } = event;
    if (prompt === undefined) show(shown);
    // Where the conductor is gone, following it says so.
    else void ask(question, shown, prompt).catch(() => undefined);
  };
}
