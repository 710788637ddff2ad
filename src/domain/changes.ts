/** One typed, reversible difference on one host. `before` is what was found, `after` what is asked. */
export type Change = CmdlineChange;

/**
 * The kernel command line through the boot loader. Applied in two parts: a trial entry that is booted once,
 * and, after proof, the drop-in that makes it the default. `before` and `after` are the default entry's arguments.
 */
export interface CmdlineChange {
  readonly kind: 'cmdline';
  readonly loader: 'grub-debian';
  readonly add: readonly string[];
  readonly drop: readonly string[];
  readonly before: readonly string[];
  readonly after: readonly string[];
  /** The drop-in's text before (`null`: absent) and after. */
  readonly dropIn: { readonly before: string | null; readonly after: string };
  /** /etc/default/grub.d did not exist, so undo removes it when it is empty. */
  readonly createsFolder: boolean;
}

/** Whether two changes are the same to the letter; both were made by the planner or read from what it made. */
export function sameChange(a: Change, b: Change): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** What one host needs, or why nothing can be done. Made by the planner from facts and the target. */
export type HostPlan =
  | { readonly kind: 'compliant'; readonly evidence: Evidence }
  | {
      readonly kind: 'changes';
      readonly changes: readonly Change[];
      readonly reboots: number;
      /** Hex digest of the changes and of what they rest on; a plan that came out differently has another. */
      readonly digest: string;
      /** Hosts with the same hardware and the same changes share it; a few words for people, e.g. `Intel, Debian 12`. */
      readonly hardware: string;
      readonly warnings: readonly string[];
      readonly bootId: string;
      readonly machineId: string;
    }
  | { readonly kind: 'blocked'; readonly code: string; readonly sentence: string }
  | { readonly kind: 'held'; readonly code: string; readonly sentence: string };

/** What a verified step saw (law 12): short names and values, at most a few hundred bytes. */
export type Evidence = Readonly<Record<string, string>>;
