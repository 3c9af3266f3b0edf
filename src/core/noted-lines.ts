/** JSON lines that are noted one by one and read again from the first one on. */
export interface NotedLines {
  /** The line is there when it returns, whatever becomes of this process. */
  add(line: unknown): void;
  /** All lines so far, those of earlier commands first, some at a time. */
  read(): AsyncIterable<readonly unknown[]>;
  /** Takes all of them away. Never rejects. */
  clear(): Promise<void>;
}

/** Lines that end with this process. */
export function linesInMemory(): NotedLines {
  const lines: unknown[] = [];
  return {
    add: (line) => void lines.push(line),
    async *read() {
      yield [...lines];
    },
    clear: async () => void lines.splice(0),
  };
}
