import type { HostPort } from '../../../src/host/port.ts';
import type { Fault } from '../../../src/simulator/model/faults.ts';
import type { ModelHost } from '../../../src/simulator/model/model-host.ts';
import {
  DROP_IN,
  LEASE,
  LEASE_ID,
  type ContractFault,
  type ContractHost,
  type ContractProgram,
} from '../../host/contract/contract-host.ts';

const FAULTS: Readonly<Record<ContractFault, Fault>> = {
  'etc-full': { kind: 'disk-full', under: '/etc' },
  'etc-read-only': { kind: 'read-only', under: '/etc' },
  'state-full': { kind: 'disk-full', under: '/var/lib/vfleet' },
};

/** Makes a model host such as the contract suite wants to find. */
export function prepareContractModel(
  model: ModelHost,
  fault: ContractFault | undefined,
): ModelHost {
  if (fault === undefined) {
    model.tree.remove('/etc/default/grub.d');
    return model;
  }
  model.tree.put(LEASE, `id=${LEASE_ID}\nwho=test\n`);
  if (fault !== 'state-full') model.tree.put(DROP_IN, 'old\n');
  model.addFault(FAULTS[fault]);
  return model;
}

/** The contract's view of a model host behind some port. */
export function contractHost(
  model: ModelHost,
  port: HostPort,
  ends: { cut(): Promise<void>; dispose(): Promise<void> },
): ContractHost {
  const { tree } = model;
  return {
    port,
    bootId: tree.text('/proc/sys/kernel/random/boot_id')!.trim(),
    put: (path, content) => {
      tree.put(path, content);
      if (path.startsWith('/sys/')) model.attributes.set(path, () => 'stored');
      return Promise.resolve();
    },
    link: (path, target) => {
      tree.link(path, target);
      return Promise.resolve();
    },
    get: (path) => {
      const bytes = tree.bytes(path);
      return Promise.resolve(bytes && Buffer.from(bytes));
    },
    names: (folder) => Promise.resolve([...(tree.names(folder) ?? [])]),
    mode: (path) => {
      const node = tree.at(path);
      return Promise.resolve(node?.kind === 'file' ? node.mode : undefined);
    },
    program: (name, behaviour) => {
      addProgram(model, name, behaviour);
      return Promise.resolve();
    },
    stallNext: () => {
      const stall = model.stallNext();
      return Promise.resolve({
        arrived: stall.arrived,
        cut: () => ends.cut(),
        release: () => stall.release(),
      });
    },
    noise: (bytes) => {
      model.banner = bytes;
      return Promise.resolve();
    },
    hangPoke: (path) => Promise.resolve(hangPoke(model, path)),
    dispose: () => ends.dispose(),
  };
}

function hangPoke(model: ModelHost, path: string): { release(): Promise<void> } {
  let release = (): void => undefined;
  const hangsUntil = new Promise<void>((resolve) => (release = resolve));
  model.tree.put(path, '0\n');
  model.attributes.set(path, () => ({ hangsUntil }));
  return {
    release: () => {
      release();
      return hangsUntil;
    },
  };
}

function addProgram(model: ModelHost, name: string, behaviour: ContractProgram): void {
  const { stdout = '', stderr = '', code = 0, printsArguments = false, hangs } = behaviour;
  model.programs.set(name, {
    said: { stdout, stderr },
    takesMs: () => (hangs === true ? 1e9 : 0),
    run: (args) => ({
      code,
      stderr,
      stdout: stdout + (printsArguments ? args.map((arg) => `<${arg}>\n`).join('') : ''),
      changed: false,
    }),
  });
}
