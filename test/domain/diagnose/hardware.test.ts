import { describe, expect, it } from 'vitest';
import type { Code } from '../../../src/domain/codes.ts';
import type { PciFunction, Temperature } from '../../../src/domain/device-facts.ts';
import { HARDWARE_RULES } from '../../../src/domain/diagnose/hardware.ts';
import { bridge, deviceFacts, graphicsCard, pciFunction } from '../../support/device-facts.ts';
import type { DeviceExcerpt as Excerpt } from './excerpts/device-hosts.ts';
import { foundBy } from './excerpts/device-hosts.ts';

const findings = (excerpt: Excerpt) => foundBy(HARDWARE_RULES, excerpt);

type Link = NonNullable<PciFunction['link']>;
const NIC = '0000:3b:00.0';
const link = (speed: string, width: number, maxSpeed: string, maxWidth: number): Link => ({
  speed: `${speed} GT/s`,
  width,
  maxSpeed: `${maxSpeed} GT/s`,
  maxWidth,
});
const PORT = (state: Link): PciFunction => ({ ...bridge('0000:3a:00.0'), link: state });
const card = (state: Link, over: Partial<PciFunction> = {}): PciFunction =>
  pciFunction(NIC, { parents: ['0000:3a:00.0'], link: state, ...over });
const of = (...functions: readonly PciFunction[]): Excerpt => ({ devices: deviceFacts(functions) });
const sensor = (celsius: number, limit?: number, label = 'Composite'): Partial<PciFunction> => ({
  temperatures: [{ label, celsius, ...(limit === undefined ? {} : { limit }) }],
});
const chip = (...readings: readonly Temperature[]): Excerpt => ({
  over: { hwmon: { coretemp: readings } },
});
const errors = (correctable: number, nonfatal = 0, fatal = 0): Partial<PciFunction> => ({
  aer: { correctable, nonfatal, fatal },
});

const CASES: readonly (readonly [string, Excerpt, readonly Code[], RegExp])[] = [
  [
    'a disk above its critical temperature',
    of(pciFunction('0000:5e:00.0', sensor(86.85, 84.85))),
    ['health.too-hot'],
    /^0000:5e:00\.0 is at 86\.85 C \(Composite\), and its limit is 84\.85 C/,
  ],
  [
    'a card right at its limit',
    of(pciFunction(NIC, sensor(105, 105, 'temp1'))),
    ['health.too-hot'],
    /105 C \(temp1\)/,
  ],
  [
    'a processor above its limit',
    chip({ label: 'Package id 0', celsius: 101, limit: 100 }),
    ['health.too-hot'],
    /^coretemp is at 101 C \(Package id 0\)/,
  ],
  [
    'a link with half of its lanes',
    of(PORT(link('8.0', 4, '8.0', 16)), card(link('8.0', 4, '8.0', 8))),
    ['health.link-below'],
    /^the link of 0000:3b:00\.0 to 0000:3a:00\.0 is at x4 in place of x8, though/,
  ],
  [
    'a link that came up at the lowest speed',
    {
      ...of(PORT(link('2.5', 8, '16.0', 16)), card(link('2.5', 8, '8.0', 8))),
      log: [
        'pci 0000:3b:00.0: 16.000 Gb/s available PCIe bandwidth, limited by 2.5 GT/s PCIe x8 link at 0000:3a:00.0 (capable of 63.008 Gb/s with 8.0 GT/s PCIe x8 link)',
      ],
    },
    ['health.link-below'],
    /is at 2\.5 GT\/s in place of 8 GT\/s/,
  ],
  [
    'a GPU with one lane',
    of(
      PORT(link('2.5', 1, '16.0', 16)),
      card(link('2.5', 1, '16.0', 16), { class: '030000', driver: 'nouveau' }),
    ),
    ['health.link-below'],
    /is at x1 in place of x16, though/,
  ],
  [
    'thousands of corrected errors',
    of(pciFunction(NIC, errors(48_211))),
    ['health.many-errors'],
    /has counted 48211 correctable errors .*one reading does not say/,
  ],
  [
    'a fatal error, with others',
    of(pciFunction(NIC, errors(12, 40, 1))),
    ['health.many-errors'],
    /1 fatal, 40 nonfatal errors/,
  ],
  [
    'a bad link with its errors',
    of(PORT(link('8.0', 4, '8.0', 16)), card(link('8.0', 4, '8.0', 8), errors(5_000))),
    ['health.link-below', 'health.many-errors'],
    /x4 in place of x8/,
  ],
];

const [GPU, AUDIO] = graphicsCard('0000:3b:00');
const HEALTHY: readonly (readonly [string, Excerpt])[] = [
  [
    'a card in a slot with fewer lanes',
    of(PORT(link('8.0', 4, '8.0', 4)), card(link('8.0', 4, '8.0', 8))),
  ],
  [
    'a fast card in an older slot',
    of(PORT(link('8.0', 8, '8.0', 16)), card(link('8.0', 8, '16.0', 8))),
  ],
  [
    'a GPU that idles, and its audio function',
    of(
      PORT(link('2.5', 16, '16.0', 16)),
      { ...GPU, parents: ['0000:3a:00.0'], link: link('2.5', 16, '16.0', 16) },
      { ...AUDIO, parents: ['0000:3a:00.0'], link: link('2.5', 16, '16.0', 16) },
    ),
  ],
  [
    'a port that leads to nothing',
    of(PORT({ speed: '2.5 GT/s', maxSpeed: '16.0 GT/s', maxWidth: 16 })),
  ],
  [
    'a card without a link (width 0)',
    of(
      PORT(link('8.0', 8, '8.0', 8)),
      card({ speed: '2.5 GT/s', maxSpeed: '8.0 GT/s', maxWidth: 8 }),
    ),
  ],
  [
    'a VF, which has no link of its own',
    of(PORT(link('8.0', 8, '8.0', 8)), card(link('2.5', 1, '8.0', 8), { physfn: '0000:3b:00.1' })),
  ],
  [
    'a device of the chipset',
    of(pciFunction('0000:00:1f.4', { parents: [], link: link('2.5', 1, '8.0', 8) })),
  ],
  ['a few corrected errors', of(pciFunction(NIC, errors(37, 1)))],
  ['warm, and below the limit', of(pciFunction(NIC, sensor(84, 84.85)))],
  ['hot, of a sensor without a limit', of(pciFunction(NIC, sensor(99)))],
  ['a limit of 65,261 degrees', of(pciFunction(NIC, sensor(40, 65_261.85)))],
  ['a limit of 0', of(pciFunction(NIC, sensor(40, 0)))],
  ['a sensor that is not wired', chip({ label: 'AUXTIN', celsius: 127, limit: 100 })],
];

describe('the rules of hardware', () => {
  it.each(CASES)('find of %s what is wrong, the cause first', (_, excerpt, codes, sentence) => {
    const found = findings(excerpt);
    expect(found.map(({ code }) => code)).toEqual(codes);
    expect(found[0]?.sentence).toMatch(sentence);
    for (const { proof, next } of found) {
      expect(proof).not.toEqual([]);
      expect(next).not.toBe('');
    }
  });

  it.each(HEALTHY)('find nothing of %s', (_, excerpt) => {
    expect(findings(excerpt)).toEqual([]);
  });

  it('show both ends of a link, and what the kernel said of it', () => {
    expect(findings(CASES[4]![1])[0]?.proof).toEqual([
      {
        source: '/sys/bus/pci/devices/0000:3b:00.0',
        text: 'current_link 2.5 GT/s x8, max_link 8.0 GT/s x8',
      },
      {
        source: '/sys/bus/pci/devices/0000:3a:00.0',
        text: 'current_link 2.5 GT/s x8, max_link 16.0 GT/s x16',
      },
      { source: 'dmesg', text: CASES[4]![1].log?.[0] },
    ]);
  });
});
