/**
 * What `vfleet explain` and docs/codes.md say of one code. In all texts NAME is a spec's name or one rollout, HOST a host
 * of it, SPEC the file of a spec and INVENTORY an inventory; commands stand in backticks.
 */
export interface CodeEntry {
  /** What it means, in one sentence. */
  readonly sentence: string;
  /** What a person sees, and what has or has not happened to the host. */
  readonly symptom: string;
  /** Likely first. */
  readonly causes: readonly [string, ...string[]];
  /** What to do next, recommended first: commands of vfleet, and on the host as root. */
  readonly exits: readonly [string, ...string[]];
}

/** The entries of one part of vfleet, by code. */
export type CodeEntries = Readonly<Record<string, CodeEntry>>;
