import { afterEach, describe, expect, it } from 'vitest';
import {
  applyHugepages,
  undoHugepages,
  verifyHugepages,
} from '../../../activities/steps/hugepages.ts';
import { TMPFILES_PATH } from '../../../src/domain/own-files.ts';
import { NOTHING_ASKED, type HugepagesTarget } from '../../../src/domain/spec.ts';
import type { MemoryHost } from '../../../src/simulator/memory-host.ts';
import { hugepagesChange } from '../../support/device-changes.ts';
import { deviceHost, diesAnywhere, differences, leavesOf, well } from '../../support/device-run.ts';
import { guard } from '../../support/step-run.ts';

let host: MemoryHost;
afterEach(() => {
  host.model.dispose();
});
const make = (): MemoryHost => (host = deviceHost());
const apply = (live = true, change = hugepagesChange(), seq = 2) =>
  applyHugepages(host, { changes: [change], guard: guard(seq), live });
const pages = (node: number): string | undefined =>
  host.model.tree
    .text(`/sys/devices/system/node/node${node}/hugepages/hugepages-2048kB/nr_hugepages`)
    ?.trim();

describe('applyHugepages', () => {
  it('takes the pages on each node, then writes the file that takes them again', async () => {
    make();
    expect(await well(apply())).toEqual({
      '2 MiB pages on node 0': '16',
      '2 MiB pages on node 1': '16',
    });
    expect([pages(0), pages(1)]).toEqual(['16', '16']);
    expect(host.model.tree.text(TMPFILES_PATH)).toBe(hugepagesChange().file.after);
    expect(host.model.log.changes().at(-1)?.what).toBe(TMPFILES_PATH);
  });

  it('writes only the file where a reboot is to come', async () => {
    make();
    await well(apply(false));
    expect([pages(0), pages(1)]).toEqual(['0', '0']);
    expect(host.model.tree.text(TMPFILES_PATH)).toBe(hugepagesChange().file.after);
  });

  it('is safe twice', async () => {
    make();
    await well(apply());
    const before = host.model.log.changes().length;
    await well(apply(true, hugepagesChange(), 3));
    expect(host.model.log.changes().length).toBe(before);
  });

  it('equals one that did not die, wherever it dies', async () => {
    make();
    const changes = [hugepagesChange()];
    const deaths = await diesAnywhere(
      () => Promise.resolve(deviceHost()),
      (port, attempt) => applyHugepages(port, { changes, guard: guard(2, attempt), live: true }),
    );
    expect(deaths).toBe(3);
  });

  it('holds with the number on each node when the kernel found fewer, and goes on from there', async () => {
    make();
    host.model.faults.add({ kind: 'pages-scarce', sizeKiB: 2048, pages: 20 });
    const outcome = await apply();
    expect(outcome).toMatchObject({ kind: 'hold', code: 'hugepages.fewer-than-asked' });
    expect(outcome.evidence['nodes']).toMatch(/^node 0: \d+, node 1: \d+$/);
    expect(host.model.tree.text(TMPFILES_PATH)).toBeUndefined();
    host.model.faults.remove('pages-scarce');
    await well(apply(true, hugepagesChange(), 3));
    expect([pages(0), pages(1)]).toEqual(['16', '16']);
  });

  it('holds with drift when somebody took other pages since', async () => {
    make();
    await well(apply(true, hugepagesChange(40)));
    const other = { ...hugepagesChange(), file: hugepagesChange(40).file };
    expect(await apply(true, other, 3)).toMatchObject({ kind: 'hold', code: 'drift' });
    expect(pages(0)).toBe('40');
  });

  it('holds on a full disk', async () => {
    make();
    host.model.faults.add({ kind: 'disk-full', under: '/etc' });
    expect(await apply()).toMatchObject({ kind: 'hold', code: 'host.disk-full' });
  });
});

describe('undoHugepages', () => {
  it('gives the pages back, and the file first', async () => {
    make();
    const before = leavesOf(host);
    await well(apply());
    const done = host.model.log.changes().length;
    const change = hugepagesChange();
    expect(await well(undoHugepages(host, { change, guard: guard(9) }))).toMatchObject({
      reboot: 'not needed',
    });
    expect(differences(before, leavesOf(host))).toEqual({});
    expect(host.model.log.changes()[done]?.what).toBe(TMPFILES_PATH);
  });
});

describe('verifyHugepages', () => {
  const verify = (...hugepages: HugepagesTarget[]) =>
    verifyHugepages(host, { changes: [], target: { ...NOTHING_ASKED, hugepages } });
  const asked = (count: number, node?: number): HugepagesTarget => ({
    sizeKiB: 2048,
    count,
    at: 'runtime',
    ...(node === undefined ? {} : { node }),
  });

  it('sums what is asked of each size, and of each node', async () => {
    make();
    await well(apply());
    expect(await well(verify(asked(16, 0), asked(16, 1)))).toEqual({
      '2 MiB pages on node 0': '16, asked 16',
      '2 MiB pages on node 1': '16, asked 16',
      '2 MiB pages': '32, asked 32',
    });
    expect(await verify(asked(17, 0))).toMatchObject({
      code: 'hugepages.fewer-than-asked',
      evidence: { asked: '17', got: '16', nodes: 'node 0: 16, node 1: 16' },
    });
    expect(await verify(asked(16, 0), asked(20))).toMatchObject({
      code: 'hugepages.fewer-than-asked',
      evidence: { asked: '36', got: '32' },
    });
  });

  it('looks at what the plan takes, too', async () => {
    make();
    const changes = [hugepagesChange()];
    const outcome = await verifyHugepages(host, { changes, target: NOTHING_ASKED });
    expect(outcome).toMatchObject({ code: 'hugepages.fewer-than-asked' });
  });
});
