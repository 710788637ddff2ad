import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inventoryOf } from './inventory.ts';
import {
  SHARED_GROUP,
  startMachines,
  WITHOUT_INTERRUPT_REMAPPING,
  type Machine,
  type MachineWanted,
} from './machines.ts';
import { VfleetCli } from './vfleet-cli.ts';

/**
 * `vfleet diagnose` on machines that are wrong for real: the first finding is what is wrong with each, and not what follows
 * from it. Each disk serves two cases, so that few boots are enough. The tests are one story and run in order.
 */
let folder: string;
let vfleet: VfleetCli;
const started: Machine[] = [];

interface Printed {
  readonly hosts: readonly {
    readonly findings: readonly {
      readonly code: string;
      readonly severity: string;
      readonly proof: readonly { readonly text: string }[];
    }[];
  }[];
}

async function start(...wanted: readonly MachineWanted[]): Promise<Machine[]> {
  const machines = await startMachines(wanted);
  started.push(...machines);
  return machines;
}

/** Its findings, the most likely cause first. */
async function diagnose(machine: Machine) {
  await writeFile(join(folder, 'inventory.ini'), inventoryOf([machine]));
  const read = await vfleet.run('diagnose', machine.name, '-i', 'inventory.ini', '--json');
  const { hosts } = JSON.parse(read.stdout) as Printed;
  return hosts[0]?.findings ?? [];
}

/** What stands at the end of its kernel line from the next boot on. */
const setLine = (machine: Machine, before: string, after: string): Promise<string> =>
  machine.ssh(
    `sudo -n sed -i 's/ ${before}"$/ ${after}"/' /etc/default/grub && sudo -n update-grub 2>&1`,
  );

let bare: Machine;
let shared: Machine;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vfleet-lab-'));
  vfleet = new VfleetCli(folder);
  [bare, shared] = (await start(
    { name: 'no-table', iommu: 'none' },
    { name: 'off', devices: SHARED_GROUP },
  )) as [Machine, Machine];
});

afterAll(async () => {
  await Promise.all(started.map((machine) => machine.stop()));
  await rm(folder, { recursive: true, force: true });
});

describe('diagnose on a real machine', () => {
  it('finds the firmware switch that is off, not the line that asks for no IOMMU either', async () => {
    const [first] = await diagnose(bare);
    // The emulated processor is an AMD one.
    expect(first).toMatchObject({ code: 'firmware.no-ivrs', severity: 'critical' });
  });

  it('finds the argument that turns the IOMMU off, with the line that holds it', async () => {
    const [first] = await diagnose(shared);
    expect(first).toMatchObject({ code: 'cmdline.iommu-off', severity: 'critical' });
    expect(JSON.stringify(first)).toContain('intel_iommu=off');
  });

  it('finds the bridge that makes one group of two cards, before the group of which one is left to the host', async () => {
    await setLine(shared, 'intel_iommu=off', 'intel_iommu=on iommu=pt');
    await shared.reboot();
    await shared.ssh(
      "sudo -n sh -c 'modprobe vfio-pci; cd /sys/bus/pci/devices/0000:05:01.0; echo vfio-pci >driver_override; echo 0000:05:01.0 >driver/unbind; echo 0000:05:01.0 >/sys/bus/pci/drivers_probe'",
    );
    const [cause, effect] = await diagnose(shared);
    expect(cause).toMatchObject({ code: 'devices.no-acs' });
    expect(effect).toMatchObject({
      code: 'devices.group-not-viable',
      follows: ['devices.no-acs'],
    });
    expect(JSON.stringify(effect)).toContain('0000:05:02.0');
  });

  it('finds that interrupts are not remapped', async () => {
    await shared.powerOff('true');
    const [unmapped] = await start({
      name: 'unmapped',
      iommu: 'none',
      disk: shared.disk,
      devices: WITHOUT_INTERRUPT_REMAPPING,
    });
    const [first] = await diagnose(unmapped!);
    expect(first).toMatchObject({ code: 'iommu.no-interrupt-remapping' });
  });

  // Skipped: the machine does not come up. Under QEMU 10.0.2's amd-iommu this kernel (6.1.0-56) stalls for some 30 s at a time and
  // was not up after 420 s, with none of nine variants of its options; why is not known.
  it.skip('finds an argument that AMD’s driver does not know', async () => {
    await setLine(bare, 'intel_iommu=off', 'amd_iommu=on iommu=pt');
    await bare.powerOff('true');
    const [amd] = await start({ name: 'amd', iommu: 'amd', disk: bare.disk });
    const [first] = await diagnose(amd!);
    expect(first).toMatchObject({ code: 'cmdline.unknown-option' });
    expect(JSON.stringify(first)).toContain('amd_iommu=on');
  });
});
