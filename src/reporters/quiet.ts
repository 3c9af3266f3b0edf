import { errorText, isTold } from './error-text.js';
import { lineOf } from './plain.js';
import { makeTables, showResult } from './results.js';
import { makeTeller } from './sentences/index.js';
import type { MakeReporter } from './types.js';
import { screenWidth } from './wrap.js';

/** Only what went wrong, and what came of it. */
export const quietReporter: MakeReporter = async (options) => {
  const tell = makeTeller();
  const tables = makeTables(options);
  return {
    handle(event) {
      const sentence = tell(event);
      if (sentence?.tone === 'warn' || sentence?.tone === 'bad') options.talk.write(`${lineOf(sentence, options)}\n`);
      if (isTold(event)) options.talk.write(errorText(event.error, options.talkPaint.bad, screenWidth(options.talk)));
      const result = tables(event);
      if (result !== undefined && options.results) showResult(result, options.results);
    },
    close() {},
  };
};
