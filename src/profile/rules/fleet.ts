import { wordNeeded } from '../sections/runners.js';
import { serverWords, slaWords } from '../words/criteria.js';
import { anyOf, didYouMean } from '../words/near.js';
import { type Broken, keysOf, type Rule } from './types.js';

const whatNeeded = {
  hosts: 'the machines that make the load',
  kubernetes: 'the image of its pods, and where they are',
  cloud: 'the token, stack and project',
} as const;

/** The runners' words fit their backend. */
export const runnersRule: Rule = ({ profile: { runners } }) => {
  if (!runners) return [];
  const broken: Broken[] = [];
  const needed = wordNeeded[runners.backend];
  if (needed !== undefined && runners[needed] === undefined)
    broken.push({
      path: ['runners', 'backend'],
      message: `\`${runners.backend}\` needs \`runners.${needed}\`: ${whatNeeded[needed]}`,
      lacks: [['runners', needed]],
    });
  if (runners.allowedLoss !== undefined && runners.onLost === 'abort') {
    broken.push({ path: ['runners', 'allowedLoss'], on: 'key', message: '`allowedLoss` needs `onLost: continue`' });
  }
  return broken;
};

/** Abort rules watch something that is measured, and are there where they are mandatory. */
export const abortRule: Rule = ({ profile: { abort, guards, runners }, data }) => {
  const known = [...new Set([...serverWords, ...keysOf(data, 'critical')])];
  const isWatched = keysOf(data, 'monitors').length > 0;
  const unknown = (abort ?? []).flatMap(({ when }, index): Broken[] => {
    if (when.source !== 'server' || known.includes(when.metric) || isWatched) return [];
    const path = ['abort', index, 'when'];
    return [
      {
        path,
        message: `unknown metric \`${when.metric}\`; expected a word of the SLA, or ${anyOf(known)}${didYouMean(when.metric, [...slaWords, ...known])}`,
      },
    ];
  });
  const mandatory = guards?.level === 'production' && abort?.length === 0 && runners?.backend !== 'cloud';
  return mandatory
    ? [
        {
          path: ['guards'],
          on: 'key',
          message: '`guards: production` needs an `abort` rule such as `{when: errors > 5%, for: 30s, after: 1m}`',
          lacks: [['abort']],
        },
      ]
    : unknown;
};
