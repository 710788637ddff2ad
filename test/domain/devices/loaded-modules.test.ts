import { describe, expect, it } from 'vitest';
import type { DeviceFacts } from '../../../src/domain/device-facts.ts';
import { modulesLoadText } from '../../../src/domain/devices/module-files.ts';
import { MODULES_LOAD_PATH } from '../../../src/domain/own-files.ts';
import { NOTHING_ASKED } from '../../../src/domain/spec.ts';
import { deviceFacts, hostWith, targetOf } from '../../support/device-facts.ts';
import { blockOf } from './planned.ts';

const load = ['vfio_pci', 'vhost_net'];
const host = (over: Partial<DeviceFacts>) => {
  const ownFiles = { [MODULES_LOAD_PATH]: modulesLoadText(load)! };
  return hostWith(deviceFacts([], { ownFiles, ...over }));
};
const TARGET = targetOf({ modules: { ...NOTHING_ASKED.modules, load } });

describe('modules that are to be loaded at each boot, and whose file says so already', () => {
  it.each<[string, Partial<DeviceFacts>]>([
    ['loaded', { modules: load }],
    [
      'loaded, or part of the kernel',
      { modules: ['vfio_pci'], bootModules: { vfio_pci: 'file', vhost_net: 'builtin' } },
    ],
  ])('are as asked when they are %s', (_, over) => {
    expect(blockOf(host(over), TARGET).code).toBe('compliant');
  });

  it.each<[string, Partial<DeviceFacts>, RegExp]>([
    [
      'not loaded since',
      { modules: ['vfio_pci'], bootModules: { vfio_pci: 'file', vhost_net: 'file' } },
      /vfleet\.conf names vhost_net, .* refuses to load/,
    ],
    [
      'no modules of this kernel',
      { modules: ['vfio_pci'], bootModules: { vfio_pci: 'file', vhost_net: 'none' } },
      /no module of the name vhost_net \(an alias is none\)/,
    ],
    ['not known to be anything', {}, /names vfio_pci, vhost_net, /],
    [
      'named as what every object has',
      { bootModules: JSON.parse('{"__proto__":"builtin"}') as Record<string, 'builtin'> },
      /names vfio_pci/,
    ],
  ])('block the host when they are %s', (_, over, sentence) => {
    const block = blockOf(host(over), TARGET);
    expect(block.code).toBe('modules.not-loaded');
    expect(block.sentence).toMatch(sentence);
  });
});
