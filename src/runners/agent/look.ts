import type { RunnerId } from '../../core/ids.js';
import type { Vitals } from '../runner/types.js';
import { type GroupLimits, readLinuxVitals } from '../runner/vitals.js';
import type { Agent } from './link.js';
import { orders } from './protocol.js';

/** The texts that a look of an agent saw, by name. */
export type SeenTexts = ReadonlyMap<string, string>;

/** What a runner and its machine have used so far, by the runner's id; runners that ask at the same time share one look. */
export function agentVitals(agent: Agent): (runner: RunnerId) => Promise<Vitals | undefined> {
  let looking: Promise<SeenTexts> | undefined;
  return async (runner) => {
    looking ??= look(agent, 'use').finally(() => {
      looking = undefined;
    });
    return vitalsIn(await looking, runner);
  };
}

/** Has the agent look at what {@link orders} says; nothing is seen where it is lost. */
export async function look(agent: Agent, at: string): Promise<SeenTexts> {
  const texts = new Map<string, string>();
  const stopListening = agent.listen((answer) => {
    if (answer?.word === 'seen') texts.set(answer.of, `${texts.get(answer.of) ?? ''}${answer.text}\n`);
  });
  const looked = agent.next('looked', at.split(' ')[0] ?? '');
  agent.order(orders.look(at));
  const answer = await looked;
  stopListening();
  return answer === undefined ? new Map() : texts;
}

function vitalsIn(texts: SeenTexts, runner: RunnerId): Vitals | undefined {
  const [process, machine, memory] = [texts.get(`process-${runner}`), texts.get('machine'), texts.get('memory')];
  if (process === undefined || machine === undefined || memory === undefined) return undefined;
  const pageBytes = Number(texts.get('page-size') ?? Number.NaN);
  const page = Number.isNaN(pageBytes) ? {} : { pageBytes };
  return readLinuxVitals({ process, machine, memory, ...limitsIn(texts), ...page });
}

/** What the agent's control group allows, as far as it has limits. */
export function limitsIn(texts: SeenTexts): GroupLimits {
  return {
    cpuMax: texts.get('cpu.max'),
    cpuStat: texts.get('cpu.stat'),
    memoryMax: texts.get('memory.max'),
    memoryCurrent: texts.get('memory.current'),
    memoryStat: texts.get('memory.stat'),
  };
}
