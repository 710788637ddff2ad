import type { Node } from '../file-tree.ts';
import { folder, line, text, type VirtualFiles } from '../virtual-files.ts';
import type { Modules } from './modules.ts';

const TYPE1 = 'vfio_iommu_type1';
export const UNSAFE_INTERRUPTS = `/sys/module/${TYPE1}/parameters/allow_unsafe_interrupts`;

/** /proc/modules and the parameter of VFIO that can be changed while it is loaded. */
export class ModuleFiles implements VirtualFiles {
  readonly roots = ['/proc/modules', '/sys/module'];
  private readonly modules: Modules;

  constructor(modules: Modules) {
    this.modules = modules;
  }

  node(path: string): Node | undefined {
    const { loaded, unsafeInterrupts } = this.modules;
    if (path === '/proc/modules') {
      // The newest comes first; sizes, uses and addresses are of no interest here.
      const rows = [...loaded.keys()].reverse();
      return text(rows.map((name) => `${name} 16384 0 - Live 0x0000000000000000\n`).join(''));
    }
    if (!path.startsWith('/sys/module')) return undefined;
    const [module, ...below] = path.split('/').slice(3);
    if (module === undefined) return folder(() => loaded.keys());
    if (!loaded.has(module)) return undefined;
    if (below.length === 0) return folder(() => (module === TYPE1 ? ['parameters'] : []));
    if (path === UNSAFE_INTERRUPTS) return line(unsafeInterrupts ? 'Y' : 'N', 0o644);
    return path === `/sys/module/${TYPE1}/parameters`
      ? folder(() => ['allow_unsafe_interrupts'])
      : undefined;
  }
}
