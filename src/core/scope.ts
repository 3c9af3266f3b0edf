/** Registers something to undo; see {@link scope}. */
export type Defer = (undo: () => void | Promise<void>) => void;

/**
 * Runs `body` and then, last in first out, everything it deferred. A failing teardown neither stops the others nor
 * hides the first error: the error of `body` wins, then the first of the teardowns.
 */
export async function scope<T>(body: (defer: Defer) => Promise<T>): Promise<T> {
  const undos: (() => void | Promise<void>)[] = [];
  const errors: unknown[] = [];
  let result: { value: T } | undefined;
  try {
    result = { value: await body((undo) => undos.push(undo)) };
  } catch (error) {
    errors.push(error);
  }
  for (const undo of undos.reverse()) {
    try {
      await undo();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0 || result === undefined) throw errors[0];
  return result.value;
}
