import type { Problem } from '../blocked.ts';
import type { DeviceFacts } from '../device-facts.ts';
import { MODULES_LOAD_PATH } from '../own-files.ts';
import type { ModulesTarget } from '../spec.ts';
import { listed } from './device-index.ts';
import { moduleOf } from './module-names.ts';

/**
 * The modules of `target.modules.load` that our file names and that are neither loaded nor part of the kernel, once a boot
 * has read that file. systemd-modules-load fails for one that is not there, and the boot goes on.
 */
export function notLoadedProblem(
  { modules, bootModules = {} }: Pick<DeviceFacts, 'modules' | 'bootModules'>,
  { load }: Pick<ModulesTarget, 'load'>,
): Problem | undefined {
  const missing = load
    .map(moduleOf)
    .filter((name) => !modules.includes(name) && whereIs(bootModules, name) !== 'builtin');
  if (missing.length === 0) return undefined;
  const none = missing.filter((name) => whereIs(bootModules, name) === 'none');
  const why =
    none.length === 0
      ? 'nobody has loaded it since, or it refuses to load (no such hardware): see systemctl status systemd-modules-load, or modprobe it'
      : `this kernel has no module of the name ${listed(none)} (an alias is none): mend the name in target.modules.load, or install what has it`;
  return {
    code: 'modules.not-loaded',
    sentence: `${MODULES_LOAD_PATH} names ${listed(missing)}, and that is neither loaded nor part of the kernel; ${why}`,
  };
}

const whereIs = (modules: NonNullable<DeviceFacts['bootModules']>, name: string) =>
  Object.hasOwn(modules, name) ? modules[name] : undefined;
