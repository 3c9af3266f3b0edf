import { runOne, type Servers, valueIn } from '../servers.js';

type Fits = (element: Buffer) => boolean;

const windowElements = 500;
/** How many elements the server may look at for us in one go: some milliseconds, in which it serves nobody else. */
const elementsAtOnce = 500_000;

/** How many elements of a list fit. */
export async function countInList(servers: Servers, key: string | Buffer, fits: Fits): Promise<number> {
  let count = 0;
  for (let from = 0; ; from += windowElements) {
    const elements = await readWindow(servers, key, from, from + windowElements - 1);
    if (elements.length === 0) return count;
    count += elements.filter(fits).length;
  }
}

/**
 * Takes out the elements that fit, by value: those that look the same cannot be told apart, and all of them go. LREM
 * walks from one end of the list up to what it is looking for, so the front half is done from the head and the back
 * half from the tail, window by window; what is nearer to that end and fits is gone by then.
 */
export async function removeFromList(servers: Servers, key: string | Buffer, fits: Fits, tell: (count: number) => void): Promise<void> {
  for (const end of ['head', 'tail'] as const) {
    let passed = 0;
    // Who goes on filling the list must not keep us for ever: the next sweep finds the rest.
    let rounds = 2 * Math.ceil((await lengthOf(servers, key)) / windowElements) + 2;
    while (rounds-- > 0 && 2 * passed < (await lengthOf(servers, key))) {
      const [from, to] = end === 'head' ? [passed, passed + windowElements - 1] : [-passed - windowElements, -passed - 1];
      const fitting = (await readWindow(servers, key, from, to)).filter(fits);
      if (fitting.length === 0) passed += windowElements;
      else tell(await removeValues(servers, key, fitting, { end, distance: passed + windowElements }));
    }
  }
}

interface Place {
  readonly end: 'head' | 'tail';
  /** How many elements are looked at from that end. */
  readonly distance: number;
}

async function removeValues(
  servers: Servers,
  key: string | Buffer,
  elements: readonly Buffer[],
  { end, distance }: Place,
): Promise<number> {
  const values = new Map<string, { readonly value: Buffer; readonly count: number }>();
  for (const value of elements) {
    const id = value.toString('latin1');
    values.set(id, { value, count: (values.get(id)?.count ?? 0) + 1 });
  }
  const commands = [...values.values()].map(({ value, count }) => ({
    key,
    words: ['LREM', key, end === 'head' ? count : -count, value] as const,
  }));
  const atOnce = Math.max(1, Math.floor(elementsAtOnce / distance));
  let removed = 0;
  for (let from = 0; from < commands.length; from += atOnce) {
    const answers = await servers.run(commands.slice(from, from + atOnce));
    for (const answer of answers) removed += Number(valueIn(servers, answer));
  }
  return removed;
}

async function lengthOf(servers: Servers, key: string | Buffer): Promise<number> {
  return Number((await runOne(servers, key, 'LLEN', key)).value);
}

async function readWindow(servers: Servers, key: string | Buffer, from: number, to: number): Promise<Buffer[]> {
  const { value } = await runOne(servers, key, 'LRANGE', key, from, to);
  return Array.isArray(value) ? value.filter((element) => Buffer.isBuffer(element)) : [];
}
