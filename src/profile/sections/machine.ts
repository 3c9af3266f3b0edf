import { text } from '../words/words.js';

/** A machine as ssh knows it. No leading `-`: ssh would take it for an option. */
export const machine = text('a host such as `load-1.example.com`').regex(/^[^\s-]\S*$/, {
  error: 'expected a host such as `load-1.example.com`',
});
