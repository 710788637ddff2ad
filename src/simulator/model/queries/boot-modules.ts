import { MODULES_LOAD_PATH } from '../../../domain/own-files.ts';
import type { ModelHost } from '../model-host.ts';

/** Modules of our modules-load.d file, each with whether there is such a module: as a file, since the model has none built in. */
export function bootModules({ tree, kernel }: ModelHost): string {
  return (tree.text(MODULES_LOAD_PATH) ?? '')
    .split('\n')
    .filter((name) => /^[A-Za-z0-9]/.test(name))
    .map((name) => `${name} ${kernel.modules.exists(name) ? 'file' : 'none'}`)
    .join('\n');
}
