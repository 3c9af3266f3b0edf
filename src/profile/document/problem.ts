import { LoadctlError } from '../../core/errors.js';
import { redactor, secretsInLine } from '../../core/secrets.js';
import { locate, type Place } from './place.js';

/** One thing wrong with a profile, at the token that is to blame. */
export interface Problem {
  readonly place: Place;
  readonly message: string;
}

/** A problem as people read it: where and what, the line, and a squiggle under the token; secrets removed. */
function codeFrame({ place, message }: Problem, secrets: readonly string[]): string[] {
  const { line, column, text, length } = locate(place);
  const hide = redactor([...secrets, ...secretsInLine(text)]);
  const inFile = place.source.path !== undefined;
  const where = inFile ? `${place.source.name}:${line}:${column}` : hide(place.source.name);
  const shown = hide(text);
  const start = sharedLength(shown, hide(text.slice(0, column - 1)));
  const end = Math.max(start + 1, sharedLength(shown, hide(text.slice(0, column - 1 + length))));
  const said = `${where}: ${message.replace(/`[^`]*`/g, hide)}`;
  if (place.source.private) return [said];
  const gutter = inFile ? String(line) : '';
  const margin = ' '.repeat(gutter.length);
  return [said, `  ${gutter} | ${shown.replaceAll('\t', ' ')}`, `  ${margin} | ${' '.repeat(start)}${'~'.repeat(end - start)}`];
}

/** How many characters two texts have in common at their beginning, also where a secret is cut through. */
function sharedLength(one: string, other: string): number {
  let at = 0;
  while (at < other.length && one[at] === other[at]) at += 1;
  return at;
}

const reference = "loadctl's docs/profile.md explains every word of a profile.";

/** All problems of a profile as one error; they are sorted by place, and said once, without `secrets`. */
export function invalidProfile(profile: string, problems: readonly Problem[], secrets: readonly string[], hint = reference): LoadctlError {
  const frames = inOrder(problems).map((problem) => codeFrame(problem, secrets));
  const once = frames.filter((frame, index) => frames.findIndex((other) => other.join('\n') === frame.join('\n')) === index);
  const lines = once.flatMap((frame, index) => (index === 0 ? frame : ['', ...frame]));
  const many = once.length === 1 ? 'one problem' : `${once.length} problems`;
  return new LoadctlError('invalid-profile', `${profile} has ${many}`, {
    lines,
    hint,
  });
}

function inOrder(problems: readonly Problem[]): Problem[] {
  const sources = [...new Set(problems.map(({ place }) => place.source))];
  return [...problems].sort((a, b) => sources.indexOf(a.place.source) - sources.indexOf(b.place.source) || a.place.start - b.place.start);
}
