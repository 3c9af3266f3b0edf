import { hasPlaceholder } from '../words/words.js';
import type { Broken, Rule } from './types.js';

const [soonestMs, latestMs] = [100, 10_000];

/** A target is one URL, or two colours and how to tell which is live. */
export const targetRule: Rule = ({ profile: { target } }) => {
  if (!target) return [];
  const { url, colours, live, health } = target;
  const broken: Broken[] = [];
  const say = (path: string[], message: string, ...lacks: string[][]) =>
    broken.push({ path: ['target', ...path], on: 'key', message, lacks: lacks.map((names) => ['target', ...names]) });
  if (url === undefined && colours === undefined)
    say([], 'a profile without a target: expected `target.url`, or `target.colours` with `live`', ['url'], ['colours']);
  if (url !== undefined && colours !== undefined) say(['colours'], '`url` and `colours` exclude each other; remove one (`url: null`)');
  if (colours !== undefined && live === undefined)
    say(['colours'], '`colours` need `live`: how to find out which of them is live', ['live']);
  if (live !== undefined && colours === undefined) say(['live'], '`live` needs `colours`', ['colours']);
  if (live?.url !== undefined && live.command !== undefined) say(['live', 'command'], '`url` and `command` exclude each other');
  if (live && live.url === undefined && live.command === undefined)
    say(['live'], 'expected `url` or `command` in `target.live`', ['live', 'url'], ['live', 'command']);
  if (live?.jsonPath !== undefined && live.header !== undefined) say(['live', 'header'], '`jsonPath` and `header` exclude each other');
  if (live?.url !== undefined && live.jsonPath === undefined && live.header === undefined) {
    say(
      ['live', 'url'],
      'expected `jsonPath` or `header` beside `url`: where the answer names the colour',
      ['live', 'jsonPath'],
      ['live', 'header'],
    );
  }
  if (health !== undefined && !health.startsWith('/') && health !== 'tcp:' && url === undefined && colours !== undefined)
    say(['health'], '`health` must be a path or `tcp:` where the target has `colours`');
  if (live && (live.every < soonestMs || live.every > latestMs))
    broken.push({
      path: ['target', 'live', 'every'],
      message: 'expected a time from `100ms` to `10s`: a switch must not go unseen for longer',
    });
  if (colours && sameAddress(colours.blue, colours.green))
    broken.push({ path: ['target', 'colours', 'green'], message: 'expected another address than that of `blue`: one of the two is live' });
  return broken;
};

function sameAddress(one: string, other: string): boolean {
  if (hasPlaceholder(one) || hasPlaceholder(other)) return one === other;
  const [a, b] = [new URL(one), new URL(other)];
  return a.host === b.host && a.pathname.replace(/\/+$/, '') === b.pathname.replace(/\/+$/, '');
}
