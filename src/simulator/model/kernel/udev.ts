import { rulePath, RULES_FOLDER } from '../../../domain/own-files.ts';
import {
  parseBindRule,
  parseVfsRule,
  parseVfsScript,
  settingWords,
  type RuledFunction,
  type VfsPlan,
} from '../../../domain/udev-files.ts';
import type { FileTree } from '../file-tree.ts';
import { setVf } from '../pci/net-admin.ts';
import type { PciFunction } from '../pci/pci-function.ts';

/** udev rules as far as the model knows them: those of vfleet. */
export interface Rules {
  /** Functions that a rule binds to vfio-pci. */
  readonly bind: ReadonlySet<string>;
  /** PFs for which a rule runs a script. */
  readonly vfs: ReadonlySet<string>;
}

const NAME = /\/70-vfleet-(.*)\.rules$/;

/** Reads rules by path. Of a rule that the model does not know it cannot tell what it does, and says so. */
export function readRules(
  files: Iterable<readonly [string, string]>,
  complain: (message: string) => void,
): Rules {
  const bind = new Set<string>();
  const vfs = new Set<string>();
  for (const [path, text] of files) {
    const address = NAME.exec(path)?.[1] ?? '';
    const [bound, pf] = [parseBindRule(text), parseVfsRule(text)];
    if (bound?.address === address) bind.add(keyOf(bound));
    else if (pf?.address === address) vfs.add(keyOf(pf));
    else if (!isComment(text)) complain(`the model does not know the udev rule in ${path}`);
  }
  return { bind, vfs };
}

/** Rules name a function by its address and by what it is. */
const keyOf = ({ address, vendor, device }: RuledFunction): string =>
  `${address} ${vendor}:${device}`;

const ofFunction = ({ address, spec: { vendor, device } }: PciFunction): RuledFunction => ({
  address,
  vendor,
  device,
});

const isComment = (text: string): boolean =>
  text.split('\n').every((line) => line.trim() === '' || line.startsWith('#'));

/** The rules on the root file system. */
export function installedRules(tree: FileTree, complain: (message: string) => void): Rules {
  const paths = (tree.names(RULES_FOLDER) ?? [])
    .filter((name) => name.endsWith('.rules'))
    .map((name) => `${RULES_FOLDER}/${name}`);
  return readRules(
    paths.map((path) => [path, tree.text(path) ?? ''] as const),
    complain,
  );
}

/** What udev can do to the machine in one of its two lives: in the initramfs, and on the root file system. */
export interface UdevStage {
  readonly rules: Rules;
  /** The text of a script, when it is there. */
  script(pf: string): string | undefined;
  /** `modprobe NAME`. */
  load(name: string): void;
  /** What 80-drivers.rules does for each function. */
  loadFor(fn: PciFunction): void;
  /** A write to a kernel file, as a shell's `echo` does it; false when it failed. */
  write(path: string, value: string): boolean;
  /** driverctl's own part, for functions that it has a file for. */
  driverctl(fn: PciFunction): void;
}

const BUS = '/sys/bus/pci';

/** One event, in the order of the rule files: 05-driverctl, ours at 70, drivers at 80. */
export function handleEvent(
  stage: UdevStage,
  action: 'add' | 'bind',
  fn: PciFunction,
  complain: (message: string) => void,
): void {
  const { rules } = stage;
  if (action === 'add') {
    stage.driverctl(fn);
    if (rules.bind.has(keyOf(ofFunction(fn)))) bindByRule(stage, fn);
  }
  if (rules.vfs.has(keyOf(ofFunction(fn))) && fn.driver !== null) {
    const script = stage.script(fn.address);
    const plan = script === undefined ? undefined : parseVfsScript(script);
    if (plan !== undefined) runScript(stage, fn, plan);
    else if (script !== undefined)
      complain(`the model does not know the script of ${rulePath(fn.address)}`);
  }
  if (action === 'add') stage.loadFor(fn);
}

/** The rule of src/domain/udev-files.ts, bindRule. */
function bindByRule(stage: UdevStage, fn: PciFunction): void {
  stage.write(`${fn.folder}/driver_override`, 'vfio-pci');
  stage.load('vfio-pci');
  release(stage, fn);
  stage.write(`${BUS}/drivers_probe`, fn.address);
}

function release(stage: UdevStage, fn: PciFunction): void {
  if (fn.driver === null || fn.driver === 'vfio-pci') return;
  stage.write(`${BUS}/drivers/${fn.driver}/unbind`, fn.address);
}

/** The VFs are there, made now or before; a number that somebody else has made is left alone. */
function hasMade(stage: UdevStage, pf: PciFunction, plan: VfsPlan): boolean {
  if (pf.vfs.length === plan.count) return true;
  if (pf.vfs.length !== 0) return false;
  return (
    stage.write(`${pf.folder}/sriov_drivers_autoprobe`, '0') &&
    stage.write(`${pf.folder}/sriov_numvfs`, String(plan.count))
  );
}

/** MTU and settings, at each event again, but of VFs that it has bound before; the indices of those that it could not set. */
function setAll(pf: PciFunction, { mtu, vfs }: VfsPlan): ReadonlySet<number> {
  if (mtu !== undefined && pf.net !== undefined) pf.net.mtu = mtu;
  const failed = new Set<number>();
  for (const [index, { maxRate, ...others }] of vfs.entries()) {
    const words = settingWords(others);
    const isSet = words.length === 0 || isBound(pf.vfs[index]);
    if (!isSet && setVf(pf, index, words) !== undefined) failed.add(index);
    if (maxRate !== undefined) setVf(pf, index, settingWords({ maxRate }));
  }
  return failed;
}

const isBound = (vf: PciFunction | undefined): boolean =>
  vf?.driver === 'vfio-pci' && vf.override === 'vfio-pci';

/** The script of src/domain/udev-files.ts, vfsScript, line by line. */
function runScript(stage: UdevStage, pf: PciFunction, plan: VfsPlan): void {
  if (!hasMade(stage, pf, plan)) return;
  const failed = setAll(pf, plan);
  const those = (driver: string) =>
    plan.vfs.flatMap((vf, index) => {
      const fn = pf.vfs[index];
      return vf.driver === driver && fn !== undefined ? [{ fn, isSet: !failed.has(index) }] : [];
    });
  const [vfio, native] = [those('vfio-pci'), those('native')];
  if (vfio.length > 0) stage.load('vfio-pci');
  for (const { fn, isSet } of vfio) {
    if (isSet) bindVf(stage, fn);
    else stage.write(`${fn.folder}/driver_override`, '');
  }
  if (native.length === 0) return;
  stage.write(`${pf.folder}/sriov_drivers_autoprobe`, '1');
  for (const { fn, isSet } of native) {
    if (isSet && fn.driver === null) stage.write(`${BUS}/drivers_probe`, fn.address);
  }
  if (failed.size > 0) stage.write(`${pf.folder}/sriov_drivers_autoprobe`, '0');
}

function bindVf(stage: UdevStage, vf: PciFunction): void {
  if (vf.override !== 'vfio-pci') stage.write(`${vf.folder}/driver_override`, 'vfio-pci');
  release(stage, vf);
  if (vf.driver === null) stage.write(`${BUS}/drivers_probe`, vf.address);
}
