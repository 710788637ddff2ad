import { homedir } from 'node:os';
import { join } from 'node:path';

/** The variables that decide where vfleet keeps its own files; give `process.env` or a test's own. */
export type DirectoryEnv = Readonly<Record<string, string | undefined>>;

/** Where downloads are kept: `$XDG_CACHE_HOME/vfleet`, else `~/.cache/vfleet` (XDG Base Directory 0.8). */
export function cacheDir(env: DirectoryEnv): string {
  return xdg(env, 'XDG_CACHE_HOME', '.cache');
}

/** Where the state of `vfleet up` is kept: `$XDG_STATE_HOME/vfleet`, else `~/.local/state/vfleet`. */
export function stateDir(env: DirectoryEnv): string {
  return xdg(env, 'XDG_STATE_HOME', join('.local', 'state'));
}

function xdg(env: DirectoryEnv, name: string, fallback: string): string {
  const base = env[name];
  // The standard says: a relative path here is invalid and to be ignored.
  if (base?.startsWith('/') === true) return join(base, 'vfleet');
  return join(env['HOME'] ?? homedir(), fallback, 'vfleet');
}
