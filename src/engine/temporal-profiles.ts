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

/** Which of Temporal's settings gives an engine's address, and how a shell is rid of it. */
export interface AddressSetting {
  readonly name: string;
  readonly undo: string;
}

/** Names the setting that the address comes from: the variable comes before a profile, as in Temporal itself. */
export function addressSetting(env: DirectoryEnv = process.env, profile?: string): AddressSetting {
  const isSet = (name: string): boolean => env[name] !== undefined && env[name] !== '';
  if (isSet('TEMPORAL_ADDRESS')) {
    return { name: 'TEMPORAL_ADDRESS', undo: 'unset TEMPORAL_ADDRESS' };
  }
  if (profile !== undefined) return { name: `Temporal profile ${profile}`, undo: 'leave it out' };
  if (isSet('TEMPORAL_PROFILE')) {
    const undo = 'unset TEMPORAL_PROFILE';
    return { name: `Temporal profile ${env['TEMPORAL_PROFILE'] ?? ''}`, undo };
  }
  return { name: 'Temporal profile default', undo: 'take the address out of that profile' };
}
