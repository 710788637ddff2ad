import { describe, expect, it } from 'vitest';
import type { DeviceReading, PciFunction } from '../../../src/domain/device-facts.ts';
import { compareHealth, CORRECTABLE_BOUND, readingOf } from '../../../src/domain/devices/health.ts';

const ADDRESS = '0000:3b:00.0';
const reading = (parts: Omit<DeviceReading, 'address'>): DeviceReading => ({
  address: ADDRESS,
  ...parts,
});
const errors = (correctable: number, nonfatal = 0, fatal = 0) =>
  reading({ aer: { correctable, nonfatal, fatal } });
const link = (speed: string, width: number) => reading({ link: { speed, width } });
const heat = (celsius: number, limit?: number) =>
  reading({
    temperatures: [{ label: 'temp1', celsius, ...(limit === undefined ? {} : { limit }) }],
  });

const worse = (before: DeviceReading, after: DeviceReading, rebooted = false): string[] =>
  compareHealth([before], [after], { rebooted }).map(({ what }) => what);

describe('compareHealth', () => {
  it.each([
    ['a fatal error', errors(0, 0, 0), errors(0, 0, 1), 'fatal errors: 0 before, 1 now'],
    ['a nonfatal error', errors(0, 3), errors(0, 4), 'nonfatal errors: 3 before, 4 now'],
    [
      'many corrected errors',
      errors(7),
      errors(8 + CORRECTABLE_BOUND),
      'correctable errors: 7 before, 108 now',
    ],
    [
      'a slower link',
      link('16.0 GT/s', 16),
      link('8.0 GT/s', 16),
      'link speed 16.0 GT/s before, 8.0 GT/s now',
    ],
    [
      'a link that is down',
      link('8.0 GT/s', 8),
      link('Unknown', 8),
      'link speed 8.0 GT/s before, Unknown now',
    ],
    ['a narrower link', link('8.0 GT/s', 8), link('8.0 GT/s', 4), 'link width x8 before, x4 now'],
    ['heat', heat(60, 90), heat(95, 90), 'temp1 60 C before, 95 C now, limit 90 C'],
  ])('says with both readings that a device does worse: %s', (_, before, after, what) => {
    expect(worse(before, after)).toEqual([what]);
  });

  it.each([
    ['errors that were there before', errors(900, 3, 1), errors(900, 3, 1)],
    ['a few corrected errors', errors(7), errors(7 + CORRECTABLE_BOUND)],
    ['a faster and wider link', link('8.0 GT/s', 8), link('16.0 GT/s', 16)],
    ['heat that was there before', heat(95, 90), heat(96, 90)],
    ['heat without a limit', heat(60), heat(120)],
    ['what only one of the readings has', reading({}), link('2.5 GT/s', 1)],
    ['counters that were not there before', reading({}), errors(0, 5, 5)],
  ])('says nothing of %s', (_, before, after) => {
    expect(worse(before, after)).toEqual([]);
  });

  it('compares counters with none after a reboot, since they start anew', () => {
    expect(worse(errors(0, 9, 9), errors(0, 1, 0), true)).toEqual([
      'nonfatal errors: none at boot, 1 now',
    ]);
    expect(worse(errors(0, 9, 9), errors(CORRECTABLE_BOUND, 0, 0), true)).toEqual([]);
    expect(worse(reading({}), errors(0, 0, 1), true)).toHaveLength(1);
  });

  it('takes a count below the one before for one that started anew', () => {
    expect(worse(errors(0, 9), errors(0, 2))).toEqual(['nonfatal errors: 9 before, 2 now']);
    expect(worse(errors(0, 9), errors(0, 0))).toEqual([]);
  });

  it('says that a device is gone', () => {
    expect(compareHealth([errors(0)], [], { rebooted: true })).toEqual([
      { address: ADDRESS, what: 'is not there any more' },
    ]);
  });
});

describe('readingOf', () => {
  const found: PciFunction = {
    address: ADDRESS,
    vendor: '8086',
    device: '1592',
    class: '020000',
    driver: 'ice',
    override: null,
    parents: [],
    bootVga: false,
    net: [],
    uses: [],
    link: { speed: '16.0 GT/s', width: 16 },
  };

  it('keeps what can be compared and no more', () => {
    expect(readingOf(found)).toEqual({
      address: ADDRESS,
      link: { speed: '16.0 GT/s', width: 16 },
    });
  });

  it('leaves the speed of a display controller out, which falls while it idles', () => {
    expect(readingOf({ ...found, class: '030000' })).toEqual({
      address: ADDRESS,
      link: { width: 16 },
    });
  });
});
