import type { DeviceUse, Unresolved } from '../../domain/device-facts.ts';
import { shortText } from './text.ts';

/** Uses by address of the function, and those that could not be traced; collected from several topics. */
export class Findings {
  private readonly uses = new Map<string, DeviceUse[]>();
  private readonly lost = new Map<string, Unresolved>();

  add(address: string, kind: DeviceUse['kind'], what: string): void {
    const list = this.uses.get(address) ?? [];
    const use = { kind, what: shortText(what) ?? kind };
    const ofKind = list.filter((it) => it.kind === kind);
    if (ofKind.length < USES_MAX && !ofKind.some(({ what }) => what === use.what)) list.push(use);
    this.uses.set(address, list);
  }

  lose(kind: Unresolved['kind'], what: string): void {
    const text = shortText(what) ?? kind;
    if (this.lost.size < USES_MAX) this.lost.set(`${kind} ${text}`, { kind, what: text });
  }

  of(address: string): readonly DeviceUse[] {
    return this.uses.get(address) ?? [];
  }

  get unresolved(): readonly Unresolved[] {
    return [...this.lost.values()];
  }
}

/** Kept of one function and kind, and of what could not be traced: a disk with hundreds of file systems is refused for the first. */
const USES_MAX = 16;
