/** A connection that is held: made when it is first needed, and anew after it was dropped. */
export interface Held<Connection> {
  /** Does something over it; an error that breaks it drops it. */
  use<T>(work: (connection: Connection) => Promise<T>): Promise<T>;
  drop(): void;
}

/** How a connection is made and ended, and which errors leave it whole: a server that says no is still there. */
export interface Holding<Connection> {
  readonly open: () => Promise<Connection>;
  readonly close: (connection: Connection) => unknown;
  readonly leavesWhole: (error: unknown) => boolean;
}

/** A {@link Held} connection that is not made yet. */
export function held<Connection>({ open, close, leavesWhole }: Holding<Connection>): Held<Connection> {
  let current: Promise<Connection> | undefined;
  const drop = () => {
    const gone = current;
    current = undefined;
    void gone?.then(close, () => undefined);
  };
  return {
    drop,
    async use(work) {
      current ??= open();
      const mine = current;
      try {
        return await work(await mine);
      } catch (error) {
        if (current === mine && !leavesWhole(error)) drop();
        throw error;
      }
    },
  };
}
