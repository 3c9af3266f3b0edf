import type { Redactor } from '../core/redactor.js';
import type { Answer, Output } from './kind/types.js';
import { shortened } from './messages/plain-words.js';

const mostSaid = 240;

/**
 * The output, whose words about what others answered hold no secret of ours: a server may well say what it was sent. They are
 * cut after that, as half a secret would not be known for one.
 */
export function discreet(output: Output, redact: Redactor): Output {
  const say = (text: string) => shortened(redact.output(text), mostSaid);
  const sayAnswer = (answer: Answer): Answer => {
    if (answer.is === 'taken') return answer.lost === undefined ? answer : { ...answer, lost: say(answer.lost) };
    return { ...answer, why: say(answer.why) };
  };
  const { missing, lookFor } = output;
  const sayWhy = (why: string | undefined) => (why === undefined ? undefined : say(why));
  return {
    ...output,
    send: async (parcel, signal) => sayAnswer(await output.send(parcel, signal)),
    ...(missing === undefined ? {} : { missing: async (signal) => sayWhy(await missing(signal)) }),
    ...(lookFor === undefined ? {} : { lookFor: async (trial, signal) => sayWhy(await lookFor(trial, signal)) }),
  };
}
