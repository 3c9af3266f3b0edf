/** Does the same for each at the same time. When one fails, `stop` is called with its error; all have ended when this rejects with it. */
export async function together<T, R>(
  items: readonly T[],
  task: (item: T) => Promise<R>,
  stop: (error: unknown) => void = () => undefined,
): Promise<R[]> {
  let first: { error: unknown } | undefined;
  const results = await Promise.allSettled(
    items.map(async (item) => {
      try {
        return await task(item);
      } catch (error) {
        if (!first) stop(error);
        first ??= { error };
        throw error;
      }
    }),
  );
  if (first) throw first.error;
  return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
}
