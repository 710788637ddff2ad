import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { createInterface } from 'node:readline';

/** The JSON lines that a process prints, one by one. */
export interface JsonLines {
  /** The next line for which the test holds, skipping others. Rejects when the process ends before. */
  readonly until: <T>(test: (value: T) => boolean) => Promise<T>;
}

/** Reads a process's stdout as JSON lines; lines that come before they are asked for are kept. */
export function jsonLines(child: ChildProcessWithoutNullStreams): JsonLines {
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    until: async <T>(test: (value: T) => boolean): Promise<T> => {
      for (;;) {
        const next = await lines.next();
        if (next.done === true) throw new Error('the process ended before it printed that');
        const value = JSON.parse(next.value) as T;
        if (test(value)) return value;
      }
    },
  };
}
