/** What is wrong with a file that a person wrote, and where. */
export interface Problem {
  /** The file's name as it was given. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 code units. */
  readonly col: number;
  /** Where in the document, e.g. `waves.1.upTo`; empty for the whole of it. */
  readonly path: string;
  /** One sentence without a full stop, to be read after the path. */
  readonly message: string;
}

/** The problem on one line: `file:line:col path: message`. */
export function formatProblem(problem: Problem): string {
  const path = problem.path === '' ? '' : ` ${problem.path}`;
  return `${problem.file}:${problem.line}:${problem.col}${path}: ${problem.message}`;
}

/** Problems by file name, and in the order of the file, without repetitions. */
export function inFileOrder(problems: readonly Problem[]): Problem[] {
  const distinct = new Map(problems.map((problem) => [formatProblem(problem), problem]));
  const byName = (a: Problem, b: Problem): number =>
    a.file === b.file ? 0 : a.file < b.file ? -1 : 1;
  return [...distinct.values()].sort((a, b) => byName(a, b) || a.line - b.line || a.col - b.col);
}
