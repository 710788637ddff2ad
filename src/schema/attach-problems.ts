import type { AttachTarget, DeviceTarget, Target } from '../domain/spec.ts';
import type { Contradiction } from './contradiction.ts';
import { asGuess } from './meant.ts';
import { nearest } from './nearest.ts';

/** Every way in which guests are given what the device entries of the same target do not make for them. */
export function attachProblems({
  devices,
  guests,
}: Pick<Target, 'devices' | 'guests'>): Contradiction[] {
  const owners = new Map<string, number>();
  return guests.flatMap(({ hosts, attach }, guest) =>
    attach.flatMap((attached, at): Contradiction[] => {
      const path = ['guests', guest, 'attach', at];
      const device = devices.find(({ name }) => name === attached.device);
      if (device === undefined) {
        return [{ path: [...path, 'device'], message: unknownDevice(attached.device, devices) }];
      }
      const wrong = wrongAttach(attached, device);
      if (wrong !== undefined) return [{ ...wrong, path: [...path, ...wrong.path] }];
      // Guests with host patterns may be on different hosts; with the inventory it is known.
      if (hosts !== undefined) return [];
      const key = attachedKey(attached);
      const owner = owners.get(key) ?? guest;
      owners.set(key, owner);
      return owner === guest ? [] : [{ path, message: `is given to target.guests.${owner} too` }];
    }),
  );
}

/** The same for two that mean the same function of a host. */
export function attachedKey({ device, pf, vf }: AttachTarget): string {
  return `${device} ${pf} ${vf ?? ''}`;
}

function unknownDevice(name: string, devices: readonly DeviceTarget[]): string {
  const names = devices.map((device) => device.name);
  const near = nearest(name, names);
  const known = names.length === 0 ? 'there is none' : `they are: ${names.join(', ')}`;
  const rest = near === undefined ? `; ${known}` : asGuess(`"${near}"`);
  return `"${name}" is no entry of target.devices${rest}`;
}

function wrongAttach(attached: AttachTarget, device: DeviceTarget): Contradiction | undefined {
  const { expect } = device;
  if (expect !== undefined && attached.pf >= expect) {
    const message = `${attached.pf} is beyond the last match, which is ${expect - 1} with expect: ${expect}`;
    return { path: ['pf'], message };
  }
  return attached.vf === undefined ? wrongFunction(device) : wrongVf(attached.vf, device);
}

function wrongFunction({ name, driver, vfs }: DeviceTarget): Contradiction | undefined {
  if (driver === 'vfio-pci') return undefined;
  const message =
    vfs === undefined
      ? `"${name}" stays with its native driver; a guest needs driver: vfio-pci`
      : `names no vf, and "${name}" gives only VFs away; write vf: 0`;
  return { path: [], message };
}

function wrongVf(vf: number, { name, vfs }: DeviceTarget): Contradiction | undefined {
  if (vfs === undefined) {
    return {
      path: ['vf'],
      message: `"${name}" makes no VFs; leave vf out for the function itself`,
    };
  }
  if (vf >= vfs.count) {
    const message = `${vf} is beyond the last VF, which is ${vfs.count - 1} with count: ${vfs.count}`;
    return { path: ['vf'], message };
  }
  if (vfs.vfs[vf]?.driver === 'vfio-pci') return undefined;
  const message = `VF ${vf} of "${name}" has its native driver; a guest needs driver: vfio-pci in its group`;
  return { path: ['vf'], message };
}
