import { isBridge, modaliasOf, type PciSpec } from './pci-spec.ts';

/** What the PF administers of a VF through `ip link`. */
export interface VfAdmin {
  mac: string;
  vlan: number;
  trust: boolean;
  spoofCheck: boolean;
  maxRate: number;
}

/** A network interface while its driver is bound. */
export interface NetState {
  mtu: number;
  up: boolean;
  readonly vfs: VfAdmin[];
}

/** One function while the machine runs. */
export class PciFunction {
  readonly spec: PciSpec;
  /** Folder in sysfs. */
  readonly folder: string;
  driver: string | null = null;
  override: string | null = null;
  /** IOMMU group; `undefined` while the IOMMU is off. */
  group: number | undefined;
  /** PFs. */
  autoprobe = true;
  vfs: PciFunction[] = [];
  /** VFs. */
  readonly physfn: PciFunction | undefined;
  net: NetState | undefined;
  readonly aer = { correctable: 0, nonfatal: 0, fatal: 0 };
  /** What it trained to, when that is less than it could. */
  link: PciSpec['link'];
  /** What its sensor shows in place of its usual value, in thousandths of a degree. */
  heat: number | undefined;
  /** The guest that has it now. */
  guest: string | undefined;
  private modaliasText: string | undefined;

  constructor(spec: PciSpec, parent: string, physfn?: PciFunction) {
    this.spec = spec;
    this.folder = `${parent}/${spec.address}`;
    this.physfn = physfn;
    this.link = spec.link;
  }

  get address(): string {
    return this.spec.address;
  }

  get modalias(): string {
    this.modaliasText ??= modaliasOf(this.spec);
    return this.modaliasText;
  }

  get isBridge(): boolean {
    return isBridge(this.spec);
  }

  /** Interface name while it has one. */
  get netdev(): string | undefined {
    return this.net === undefined ? undefined : this.spec.net?.name;
  }
}
