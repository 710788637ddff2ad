import { hostname, userInfo } from 'node:os';
import { DEFAULT_TASK_QUEUE } from '../domain/ids.ts';
import { stateDir } from '../engine/directories.ts';

/** What the CLI takes from its environment; nothing else in src/cli reads it. */
export interface CliConfig {
  /** Folder of the user's own plans, database and `up.json`: `$XDG_STATE_HOME/vfleet`. */
  readonly stateFolder: string;
  /** Whether colours may be used at all; a stream that is no terminal gets none either way. */
  readonly color: boolean;
  readonly logLevel: string;
  /** Task queue of the workers that rollouts are given to: `VFLEET_TASK_QUEUE`. */
  readonly taskQueue: string;
  /** OS user and machine. Nobody has verified it. */
  readonly who: string;
}

/** Reads the environment once. `NO_COLOR` counts when it is set and not empty (no-color.org). */
export function readConfig(env: NodeJS.ProcessEnv = process.env): CliConfig {
  return {
    stateFolder: stateDir(env),
    color: (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb',
    logLevel: env['VFLEET_LOG'] ?? 'warn',
    taskQueue: env['VFLEET_TASK_QUEUE'] ?? DEFAULT_TASK_QUEUE,
    who: `${userName(env)}@${hostname()} (unverified)`,
  };
}

/** `userInfo` throws for a uid without a passwd entry, which is usual in containers. */
function userName(env: NodeJS.ProcessEnv): string {
  try {
    return userInfo().username;
  } catch {
    return env['USER'] ?? `uid ${String(process.getuid?.() ?? '?')}`;
  }
}
