import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { diagnose, notRead } from '../../../src/domain/diagnose/diagnose.ts';
import type { Symptoms } from '../../../src/domain/diagnose/finding.ts';
import { RULES } from '../../../src/domain/diagnose/rules.ts';
import { loadCapture, saveCapture } from '../../../src/facts/capture.ts';
import { parseSymptoms } from '../../../src/facts/diagnose/parse-symptoms.ts';
import { HEALTHY_HOSTS } from '../../fixtures/healthy/hosts.ts';
import { makeHealthy } from '../../fixtures/healthy/make.ts';

const NAMES = Object.keys(HEALTHY_HOSTS);
/** Captures of the lab's machines that have nothing wrong. */
const LAB = ['debian-12-passthrough', 'debian-12-vfs'];

const shapes = new Map<string, string>();
const TOPICS = ['isolation', 'driver', 'traces', 'guests', 'hardware'];

/** What a host shows of itself, in a few words. */
function shapeOf({ facts: { devices, iommu, os, cpu } }: Symptoms): string {
  const { functions, guests, numaNodes } = devices;
  const owned = functions.filter(({ driver }) => driver === 'vfio-pci').length;
  const vfs = functions.filter(({ physfn }) => physfn !== undefined).length;
  const live = guests.filter(({ hostdevs }) => hostdevs.some((it) => it.live)).length;
  const route = functions.filter(({ uses }) =>
    uses.some(({ kind }) => kind === 'ssh-route'),
  ).length;
  const pages = numaNodes.reduce((sum, node) => sum + (node.hugepages['1048576']?.total ?? 0), 0);
  return `${os.id} ${cpu.vendor} ${iommu.groups[0]?.type ?? 'off'}: ${functions.length} functions, ${route} with the SSH route, ${vfs} VFs, ${owned} on vfio-pci, ${live} of ${guests.length} guests with devices, ${numaNodes.length} nodes, ${pages} GiB in pages`;
}

describe('a healthy host', () => {
  it.each(NAMES)('has no finding at all: %s', async (name) => {
    const symptoms = parseSymptoms(await makeHealthy(name));
    expect(notRead(symptoms)).toEqual([]);
    expect(symptoms.facts.devices.unresolved).toEqual([]);
    expect(diagnose(symptoms)).toEqual([]);
    shapes.set(name, shapeOf(symptoms));
  });

  it('comes in twenty shapes at least, each as its name says', () => {
    expect(NAMES.length).toBeGreaterThanOrEqual(20);
    expect(Object.fromEntries(shapes)).toMatchInlineSnapshot(`
      {
        "debian, AMD by default": "debian amd DMA: 18 functions, 1 with the SSH route, 0 VFs, 0 on vfio-pci, 0 of 0 guests with devices, 2 nodes, 0 GiB in pages",
        "debian, AMD, passthrough": "debian amd identity: 18 functions, 1 with the SSH route, 0 VFs, 0 on vfio-pci, 0 of 0 guests with devices, 2 nodes, 0 GiB in pages",
        "debian, Intel, passthrough, an error a year": "debian intel identity: 18 functions, 1 with the SSH route, 0 VFs, 0 on vfio-pci, 0 of 0 guests with devices, 2 nodes, 0 GiB in pages",
        "debian, Intel, translated": "debian intel DMA: 18 functions, 1 with the SSH route, 0 VFs, 0 on vfio-pci, 0 of 0 guests with devices, 2 nodes, 0 GiB in pages",
        "debian, VFs for guests, one that runs": "debian intel identity: 22 functions, 1 with the SSH route, 4 VFs, 4 on vfio-pci, 1 of 1 guests with devices, 2 nodes, 0 GiB in pages",
        "debian, VFs for the host": "debian intel DMA: 22 functions, 1 with the SSH route, 4 VFs, 0 on vfio-pci, 0 of 0 guests with devices, 2 nodes, 0 GiB in pages",
        "debian, a GPU with its audio on vfio-pci": "debian intel identity: 18 functions, 1 with the SSH route, 0 VFs, 2 on vfio-pci, 1 of 2 guests with devices, 2 nodes, 0 GiB in pages",
        "debian, a card that libvirt binds by itself": "debian intel identity: 18 functions, 1 with the SSH route, 0 VFs, 0 on vfio-pci, 0 of 1 guests with devices, 2 nodes, 0 GiB in pages",
        "debian, bonded management": "debian intel identity: 18 functions, 2 with the SSH route, 0 VFs, 0 on vfio-pci, 0 of 0 guests with devices, 2 nodes, 0 GiB in pages",
        "debian, huge pages and a guest on them that is off": "debian intel identity: 18 functions, 1 with the SSH route, 0 VFs, 0 on vfio-pci, 0 of 1 guests with devices, 2 nodes, 64 GiB in pages",
        "debian, one NUMA node, a crash kernel": "debian intel identity: 18 functions, 1 with the SSH route, 0 VFs, 0 on vfio-pci, 0 of 0 guests with devices, 1 nodes, 0 GiB in pages",
        "debian, two hundred functions": "debian intel identity: 198 functions, 1 with the SSH route, 0 VFs, 0 on vfio-pci, 0 of 0 guests with devices, 2 nodes, 0 GiB in pages",
        "fedora, AMD by default": "fedora amd DMA-FQ: 18 functions, 1 with the SSH route, 0 VFs, 0 on vfio-pci, 0 of 0 guests with devices, 2 nodes, 0 GiB in pages",
        "rocky, Intel, SELinux enforcing, a card on vfio-pci": "rocky intel identity: 18 functions, 1 with the SSH route, 0 VFs, 1 on vfio-pci, 1 of 1 guests with devices, 2 nodes, 0 GiB in pages",
        "ubuntu, AMD by default": "ubuntu amd DMA-FQ: 18 functions, 1 with the SSH route, 0 VFs, 0 on vfio-pci, 0 of 0 guests with devices, 2 nodes, 0 GiB in pages",
        "ubuntu, AMD, a GPU by ids and a softdep": "ubuntu amd identity: 18 functions, 1 with the SSH route, 0 VFs, 2 on vfio-pci, 0 of 0 guests with devices, 2 nodes, 0 GiB in pages",
        "ubuntu, AMD, four NUMA nodes": "ubuntu amd DMA-FQ: 18 functions, 1 with the SSH route, 0 VFs, 0 on vfio-pci, 0 of 0 guests with devices, 4 nodes, 0 GiB in pages",
        "ubuntu, Intel, passthrough": "ubuntu intel identity: 18 functions, 1 with the SSH route, 0 VFs, 0 on vfio-pci, 0 of 0 guests with devices, 2 nodes, 0 GiB in pages",
        "ubuntu, Intel, translated": "ubuntu intel DMA-FQ: 18 functions, 1 with the SSH route, 0 VFs, 0 on vfio-pci, 0 of 0 guests with devices, 2 nodes, 0 GiB in pages",
        "ubuntu, a pinned guest on huge pages with a card": "ubuntu intel identity: 18 functions, 1 with the SSH route, 0 VFs, 1 on vfio-pci, 1 of 1 guests with devices, 2 nodes, 64 GiB in pages",
        "ubuntu, bonded management, a guest without devices": "ubuntu intel identity: 18 functions, 2 with the SSH route, 0 VFs, 0 on vfio-pci, 0 of 1 guests with devices, 2 nodes, 0 GiB in pages",
      }
    `);
  });

  it('is the same after it was saved as a capture', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'vfleet-healthy-'));
    try {
      const snapshot = await makeHealthy('debian, VFs for guests, one that runs');
      await saveCapture(snapshot, join(dir, 'capture'));
      const loaded = parseSymptoms(await loadCapture(join(dir, 'capture')));
      expect(loaded).toEqual(parseSymptoms(snapshot));
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  });

  it.each(LAB)(
    'has no finding about devices or guests in the capture %s of the lab',
    async (name) => {
      const dir = fileURLToPath(new URL(`../../fixtures/captures/${name}`, import.meta.url));
      const rules = RULES.filter(({ topic }) => TOPICS.includes(topic));
      expect(diagnose(parseSymptoms(await loadCapture(dir)), rules)).toEqual([]);
    },
  );
});
