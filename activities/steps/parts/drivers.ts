import type { StepOutcome } from '../../../src/domain/activities.ts';
import type { PciFunction } from '../../../src/domain/device-facts.ts';
import { HOST_DEADLINE_MS } from '../../../src/domain/deadlines.ts';
import type { Guard, HostPort } from '../../../src/host/port.ts';
import type { AnswerTable, KernelWrite } from './kernel-writes.ts';
import { hold, runProblem } from '../outcomes.ts';

/**
 * What a function's driver is to become. `driver`: a name, `native` for whichever the kernel picks by itself, `null` for
 * none; `override`: what driver_override is to hold in the end.
 */
export interface DriverGoal {
  readonly driver: string | null;
  readonly override: string | null;
}

const PCI = '/sys/bus/pci';
export const deviceFile = (address: string, name: string): string =>
  `${PCI}/devices/${address}/${name}`;

/** Whether a driver is as asked. */
export function hasDriver({ driver }: DriverGoal, found: string | null): boolean {
  return driver === 'native' ? found !== null && found !== 'vfio-pci' : found === driver;
}

/** `igb, override none`. */
export const goalText = ({ driver, override }: DriverGoal): string =>
  `${driver ?? 'no driver'}, override ${override ?? 'none'}`;

/** Whether nothing is left to do. */
export function isAt(goal: DriverGoal, found: DriverGoal): boolean {
  return hasDriver(goal, found.driver) && goal.override === found.override;
}

/**
 * Whether driver and override stand between two goals: as one of them has them, or as bringing the function from one to
 * the other leaves them in the middle (no driver; an override that names the driver to come).
 */
export function isBetween(found: DriverGoal, goals: readonly DriverGoal[]): boolean {
  const overrides = goals.flatMap(({ driver, override }) => [driver, override]);
  return (
    (found.driver === null || goals.some((goal) => hasDriver(goal, found.driver))) &&
    (found.override === null || overrides.includes(found.override))
  );
}

/**
 * The writes that bring a function to its driver. A driver with a name is bound through an override of that name, which
 * makes the kernel pick it whatever else matches, and also while the PF's autoprobe is off (drivers/pci/pci-driver.c:
 * pci_match_device, pci_device_can_probe); `native` needs autoprobe on.
 */
export function driverWrites(address: string, found: DriverGoal, goal: DriverGoal): KernelWrite[] {
  const override = (name: string | null): KernelWrite[] => [
    quick(deviceFile(address, 'driver_override'), name ?? ''),
  ];
  if (hasDriver(goal, found.driver)) {
    return goal.override === found.override ? [] : override(goal.override);
  }
  const unbind = found.driver === null ? [] : [unbindWrite(address)];
  if (goal.driver === null) return [...override(goal.override), ...unbind];
  const via = goal.driver === 'native' ? null : goal.driver;
  return [
    ...(found.override === via ? [] : override(via)),
    ...unbind,
    { path: `${PCI}/drivers_probe`, value: address, timeoutMs: HOST_DEADLINE_MS.probeDriver },
    ...(goal.override === via ? [] : override(goal.override)),
  ];
}

/** A driver lets go only when nobody uses the device any more: vfio-pci waits for its guest. */
const unbindWrite = (address: string): KernelWrite => ({
  path: deviceFile(address, 'driver/unbind'),
  value: address,
  timeoutMs: HOST_DEADLINE_MS.probeDriver,
});

/** A write that the kernel answers at once. */
export const quick = (path: string, value: string): KernelWrite => ({
  path,
  value,
  timeoutMs: HOST_DEADLINE_MS.attribute,
});

/** Loads vfio-pci, and the modules of native drivers by the aliases of their devices; a native one may be built in. */
export async function loadModules(
  port: HostPort,
  guard: Guard,
  wanted: { readonly vfio: boolean; readonly aliases: readonly string[] },
): Promise<StepOutcome | undefined> {
  const load = (...words: readonly [string, ...string[]]) =>
    port.run({ guard, argv: ['modprobe', ...words], deadlineMs: HOST_DEADLINE_MS.modprobe });
  if (wanted.vfio) {
    const problem = runProblem('bind.no-vfio', 'modprobe vfio-pci', await load('vfio-pci'));
    if (problem !== undefined) return problem;
  }
  for (const alias of new Set(wanted.aliases)) await load('-q', alias);
  return undefined;
}

/** An alias as the kernel makes it for a PCI function; anything else does not become an argument. */
export const isPciAlias = (text: string | null | undefined): text is string =>
  text !== null && text !== undefined && /^pci:[0-9A-Za-z]{1,100}$/.test(text);

/** What the kernel says to writes of driverWrites (tried on Linux 6.1: field facts, Binding). */
export const DRIVER_ANSWERS: AnswerTable = {
  absent: ['bind.gone', 'the function is not there any more; see dmesg'],
  'no-device': ['bind.gone', 'the kernel knows no such function, or it has another driver by now'],
  hung: [
    'bind.hung',
    'a write that binds or unbinds did not return in time; somebody may still use the device',
  ],
  'not-permitted': ['bind.refused', 'the kernel does not permit it; lockdown may be on'],
  other: ['bind.refused', 'the kernel refused to change its driver'],
};

/** The hold for a function that is not at its goal after all writes returned well: they succeed without effect (law 4). */
export function driverProblem(
  found: Pick<PciFunction, 'address' | 'driver' | 'override'>,
  goal: DriverGoal,
): StepOutcome | undefined {
  if (isAt(goal, found)) return undefined;
  const { address, driver, override } = found;
  const evidence = {
    device: address,
    driver: driver ?? 'none',
    override: override ?? 'none',
    asked: goalText(goal),
  };
  if (hasDriver(goal, driver)) {
    return hold('bind.wrong-driver', `${address} does not have the override as asked`, evidence);
  }
  if (driver === null) {
    const sentence = `${address} was probed and no driver took it; dmesg says why`;
    return hold('bind.bound-nothing', sentence, evidence);
  }
  return hold('bind.wrong-driver', `${address} has ${driver}, not as asked`, evidence);
}
