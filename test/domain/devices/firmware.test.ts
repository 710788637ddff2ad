import { describe, expect, it } from 'vitest';
import type { DeviceFacts } from '../../../src/domain/device-facts.ts';
import { compareVersions } from '../../../src/domain/devices/firmware.ts';
import type { FirmwareTarget } from '../../../src/domain/spec.ts';
import { deviceFacts, hostWith, targetOf } from '../../support/device-facts.ts';
import { blockOf } from './planned.ts';

describe('versions of firmware', () => {
  it.each([
    ['2.10', '2.9', 1],
    ['2.9', '2.10', -1],
    ['2.9', '2.9.0', 0],
    ['2.10.2', '2.10.2', 0],
    ['U30 v2.68 (07/14/2022)', '2.60', 1],
    ['1.16.2-debian-1.16.2-1', '1.16.3', -1],
    ['F15', 'F9', 1],
    ['3.4a', '3.4', 0],
  ])('%s against %s', (one, other, order) => {
    expect(Math.sign(compareVersions(one, other) ?? NaN)).toBe(order);
  });

  it('that hold no number cannot be compared', () => {
    expect(compareVersions('unknown', '2.9')).toBeUndefined();
  });
});

describe('firmware of a host', () => {
  it.each<[string, string, DeviceFacts['dmi'], FirmwareTarget]>([
    ['an old version', 'firmware.too-old', { biosVersion: '2.9.1' }, { minVersion: '2.10' }],
    ['an old date', 'firmware.too-old', { biosDate: '2021-03-04' }, { minDate: '2021-03-05' }],
    [
      'an old date of a version that will do',
      'firmware.too-old',
      { biosVersion: '3.0', biosDate: '2020-01-01' },
      { minVersion: '2.10', minDate: '2021-03-05' },
    ],
    ['no version', 'firmware.version-unknown', {}, { minVersion: '2.10' }],
    ['no date', 'firmware.version-unknown', { biosVersion: '3.0' }, { minDate: '2021-03-05' }],
    [
      'a version without a number',
      'firmware.version-unknown',
      { biosVersion: 'Default' },
      { minVersion: '2.10' },
    ],
    ['the very version', 'compliant', { biosVersion: '2.10' }, { minVersion: '2.10' }],
    ['the very date', 'compliant', { biosDate: '2021-03-05' }, { minDate: '2021-03-05' }],
  ])('%s: %s', (_, code, dmi, firmware) => {
    const facts = hostWith(deviceFacts([], { dmi }));
    expect(blockOf(facts, targetOf({ firmware })).code).toBe(code);
  });
});
