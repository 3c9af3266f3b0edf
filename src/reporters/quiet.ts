import { lineOf } from './plain.js';
import { resultOf } from './results.js';
import { makeTeller } from './sentences.js';
import type { MakeReporter } from './types.js';

/** Only what went wrong, and what came of it. */
export const quietReporter: MakeReporter = async (options) => {
  const tell = makeTeller();
  return {
    handle(event) {
      const sentence = tell(event);
      if (sentence?.tone === 'warn' || sentence?.tone === 'bad') options.talk.write(`${lineOf(sentence, options)}\n`);
      const result = resultOf(event, options);
      if (result !== undefined) options.results?.write(result);
    },
    close() {},
  };
};
