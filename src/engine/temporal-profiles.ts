import { loadClientConfig } from '@temporalio/envconfig';
import type { DirectoryEnv } from './directories.ts';

/**
 * Names of the profiles in Temporal's own config file (TEMPORAL_CONFIG_FILE, else its usual place), in its order. Empty when
 * there is no file, or none that can be read: this is for a hint, and the connection says what is wrong with it.
 */
export function temporalProfiles(env: DirectoryEnv = process.env): readonly string[] {
  const set = Object.entries(env).filter((pair): pair is [string, string] => pair[1] !== undefined);
  try {
    return Object.keys(loadClientConfig({ overrideEnvVars: Object.fromEntries(set) }).profiles);
  } catch {
    return [];
  }
}
