import { LoadctlError } from '../core/errors.js';
import type { Redact } from '../core/secrets.js';
import { locate, type Place } from './place.js';

/** One thing wrong with a profile, at the token that is to blame. */
export interface Problem {
  readonly place: Place;
  readonly message: string;
}

/** A problem as people read it: where and what, the line, and a squiggle under the token; secrets taken out. */
function codeFrame({ place, message }: Problem, redact: Redact): string[] {
  const { line, column, text, length } = locate(place);
  const inFile = place.source.path !== undefined;
  const where = inFile ? `${place.source.name}:${line}:${column}` : redact(place.source.name);
  const before = redact(text.slice(0, column - 1)).replaceAll('\t', ' ');
  const token = redact(text.slice(column - 1, column - 1 + length));
  const after = redact(text.slice(column - 1 + length));
  const gutter = inFile ? String(line) : '';
  const margin = ' '.repeat(gutter.length);
  return [
    `${where}: ${message}`,
    `  ${gutter} | ${before}${token}${after}`,
    `  ${margin} | ${' '.repeat(before.length)}${'~'.repeat(Math.max(1, token.length))}`,
  ];
}

/** All problems of a profile as one error; they are sorted by place, and said once. */
export function invalidProfile(profile: string, problems: readonly Problem[], redact: Redact): LoadctlError {
  const frames = inOrder(problems).map((problem) => codeFrame(problem, redact));
  const once = frames.filter((frame, index) => frames.findIndex((other) => other.join('\n') === frame.join('\n')) === index);
  const lines = once.flatMap((frame, index) => (index === 0 ? frame : ['', ...frame]));
  const many = once.length === 1 ? 'one problem' : `${once.length} problems`;
  return new LoadctlError('invalid-profile', `${profile} has ${many}`, {
    lines,
    hint: "loadctl's docs/profile.md explains every word of a profile.",
  });
}

function inOrder(problems: readonly Problem[]): Problem[] {
  const sources = [...new Set(problems.map(({ place }) => place.source))];
  return [...problems].sort((a, b) => sources.indexOf(a.place.source) - sources.indexOf(b.place.source) || a.place.start - b.place.start);
}
