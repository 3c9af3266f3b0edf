import type { Vitals } from '../runner/types.js';
import { readLinuxVitals } from '../runner/vitals.js';
import type { AgentLink } from './agent-link.js';

/** What a runner and its host have used so far, by the runner's id; undefined where that cannot be read. */
export type HostVitals = (runner: string) => Promise<Vitals | undefined>;

/** Asks the host's agent; runners that ask at the same time share one answer. */
export function hostVitals(link: AgentLink): HostVitals {
  let looking: Promise<SeenTexts> | undefined;
  return async (runner) => {
    looking ??= look(link).finally(() => {
      looking = undefined;
    });
    return vitalsIn(await looking, runner);
  };
}

/** The host's files, as far as they are told, by name. */
type SeenTexts = ReadonlyMap<string, string>;

/** Never rejects: of a host that is lost nothing more is seen. */
async function look(link: AgentLink): Promise<SeenTexts> {
  const texts = new Map<string, string>();
  const stopListening = link.listen((answer) => {
    if (answer?.type === 'seen') texts.set(answer.of, `${texts.get(answer.of) ?? ''}${answer.line}\n`);
  });
  const looked = link.next('looked');
  link.order('look\n');
  const answer = await looked;
  stopListening();
  return answer === undefined ? new Map() : texts;
}

function vitalsIn(texts: SeenTexts, runner: string): Vitals | undefined {
  const [process, machine, memory] = [texts.get(`process-${runner}`), texts.get('machine'), texts.get('memory')];
  if (process === undefined || machine === undefined || memory === undefined) return undefined;
  const limits = { cpuMax: texts.get('cpu.max'), memoryMax: texts.get('memory.max'), memoryCurrent: texts.get('memory.current') };
  return readLinuxVitals({ process, machine, memory, ...limits });
}
