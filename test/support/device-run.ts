import { expect } from 'vitest';
import { readDevices } from '../../activities/steps/parts/device-state.ts';
import type { StepOutcome } from '../../src/domain/activities.ts';
import type { DeviceFacts } from '../../src/domain/device-facts.ts';
import type { HostPort } from '../../src/host/port.ts';
import type { MemoryHost } from '../../src/simulator/memory-host.ts';
import { createMemoryHost } from '../../src/simulator/memory-host.ts';
import type { CreateModelHostOptions } from '../../src/simulator/model/create-model-host.ts';
import { CrashingPort } from './crashing-port.ts';
import { LEASE } from './step-run.ts';

type Options = Omit<Exclude<CreateModelHostOptions, { snapshot: unknown }>, 'name'>;

/** A host with its IOMMU on and our lease on it: where the steps of devices begin. */
export function deviceHost(options: Options = {}): MemoryHost {
  const host = createMemoryHost({
    name: 'hv1',
    kernelArgs: ['intel_iommu=on', 'iommu=pt'],
    ...options,
  });
  host.model.tree.put('/var/lib/vfleet/lease', `id=${LEASE.id}\n`);
  return host;
}

/** Everything that a person could find changed: all files but vfleet's own state, and what the kernel shows. */
export function leavesOf({ model }: MemoryHost): ReadonlyMap<string, string> {
  const leaves = [...model.tree.leaves()]
    .filter(([path]) => !OWN_STATE.test(path))
    .map(([path, node]): [string, string] => [
      path,
      node.kind === 'file' ? Buffer.from(node.bytes).toString('utf8') : JSON.stringify(node),
    ]);
  return new Map(leaves.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The guard's files, and the note that says in which boot modules were changed. */
const OWN_STATE = /^\/var\/lib\/vfleet\/(lock|fence|before\/.*|modules-boot)$/;

/** What is other between two readings of a host, by path. */
export function differences(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): Record<string, [string | undefined, string | undefined]> {
  const paths = new Set([...before.keys(), ...after.keys()]);
  return Object.fromEntries(
    [...paths]
      .filter((path) => before.get(path) !== after.get(path))
      .map((path) => [path, [before.get(path), after.get(path)]]),
  );
}

/** Modules stay loaded when their devices go, and their drivers registered, as on any host. */
export function withoutModules(leaves: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  return new Map([...leaves].filter(([path]) => !OF_MODULES.test(path)));
}

const OF_MODULES =
  /^\/proc\/modules$|^\/sys\/module\/|^\/sys\/bus\/pci\/drivers\/[^/]+\/(un)?bind$|\/(new|remove)_id$/;

export async function factsOf(host: HostPort): Promise<DeviceFacts> {
  return readDevices(host);
}

type Step = (port: HostPort, attempt: number) => Promise<StepOutcome>;

/** Runs a step that must go well, and gives its evidence. */
export async function well(outcome: Promise<StepOutcome>) {
  const settled = await outcome;
  if (settled.kind === 'hold') throw new Error(JSON.stringify(settled));
  return settled.evidence;
}

/**
 * A step that dies after each of its single mutations and is tried again must leave the host as one that did not die.
 * Returns after how many mutations it died.
 */
export async function diesAnywhere(make: () => Promise<MemoryHost>, step: Step): Promise<number> {
  const whole = await make();
  await well(step(whole, 1));
  const expected = leavesOf(whole);
  whole.model.dispose();
  for (let mutations = 0; ; mutations += 1) {
    const host = await make();
    const port = new CrashingPort(host, mutations);
    const first = await step(port, 1).catch(() => undefined);
    if (first !== undefined) {
      host.model.dispose();
      return mutations;
    }
    await well(step(host, 2));
    expect(differences(expected, leavesOf(host)), `after ${mutations} mutations`).toEqual({});
    host.model.dispose();
  }
}
