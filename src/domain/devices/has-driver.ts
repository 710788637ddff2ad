import type { DriverTarget } from '../spec.ts';

/** Whether a driver is as asked: `native` is any driver of the kernel's own choice. */
export function hasDriver(asked: DriverTarget, found: string | null): boolean {
  return asked === 'native' ? found !== null && found !== 'vfio-pci' : found === asked;
}
