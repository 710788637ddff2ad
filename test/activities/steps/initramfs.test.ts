import { afterEach, describe, expect, it } from 'vitest';
import { undoBind } from '../../../activities/steps/bind.ts';
import { undoHugepages } from '../../../activities/steps/hugepages.ts';
import { applyModules, undoModules } from '../../../activities/steps/modules.ts';
import type { ModulesChange } from '../../../src/domain/changes.ts';
import { dracutText, NO_MODPROBE } from '../../../src/domain/devices/module-files.ts';
import {
  DRACUT_PATH,
  MODPROBE_PATH,
  MODULES_LOAD_PATH,
  TMPFILES_PATH,
} from '../../../src/domain/own-files.ts';
import type { HostPort } from '../../../src/host/port.ts';
import type { MemoryHost } from '../../../src/simulator/memory-host.ts';
import { GPU_CHANGES, hugepagesChange, modulesChange } from '../../support/device-changes.ts';
import { deviceHost, diesAnywhere, differences, leavesOf, well } from '../../support/device-run.ts';
import { guard } from '../../support/step-run.ts';

/** The steps on hosts whose images dracut makes, or a tool that vfleet does not know, or nobody lists. */
let host: MemoryHost;
afterEach(() => {
  host.model.dispose();
});

const IMAGE = '/boot/initrd.img-6.1.0-56-amd64';
const HOSTONLY = {
  '/usr/bin/dracut': '#!/bin/bash\n',
  '/etc/dracut.conf.d/lab.conf': 'hostonly="yes"\n',
};
const dracutHost = (files: Readonly<Record<string, string>> = HOSTONLY) => deviceHost({ files });
const make = (files?: Readonly<Record<string, string>>): MemoryHost => (host = dracutHost(files));

const change = (): ModulesChange => {
  const { files } = modulesChange();
  const settings = { ...NO_MODPROBE, ids: ['10de:2204'] };
  return {
    ...modulesChange(),
    files: [...files, { path: DRACUT_PATH, before: null, after: dracutText(settings) }],
  };
};
const apply = (port: HostPort = host, attempt = 1) =>
  applyModules(port, { changes: [change()], guard: guard(2, attempt) });
const undo = (port: HostPort = host, attempt = 1) =>
  undoModules(port, { change: change(), guard: guard(9, attempt) });

/** A host where the query about images is answered so. */
const answering = (output: string | undefined): HostPort => ({
  name: host.name,
  read: async (request) => {
    const snapshot = await host.read(request);
    const queries = new Map(snapshot.queries);
    queries.delete('initramfs');
    if (output !== undefined) queries.set('initramfs', { code: 0, output });
    return { ...snapshot, queries };
  },
  write: (request) => host.write(request),
  poke: (request) => host.poke(request),
  run: (request) => host.run(request),
});

describe('modules on a host whose initramfs dracut makes', () => {
  it.each([
    ['for this host only', HOSTONLY],
    ['for any host', { '/usr/bin/dracut': '#!/bin/bash\n' }],
  ])('are in its image, made %s, and out of it again', async (_name, files) => {
    make(files);
    const before = leavesOf(host);
    await well(apply());
    const image = host.model.tree.text(IMAGE) ?? '';
    expect(image).toContain(MODPROBE_PATH);
    expect(image).toContain('"forced":["vfio_pci"]');
    expect(host.model.log.runsOf('dracut')).toHaveLength(1);
    expect(host.model.log.runsOf('update-initramfs')).toHaveLength(0);
    await well(undo());
    expect(differences(before, leavesOf(host))).toEqual({});
    expect(host.model.log.runsOf('dracut')).toHaveLength(2);
  });

  it('are the same wherever an attempt dies, forth and back', async () => {
    make();
    // The note, three files and the image.
    expect(await diesAnywhere(() => Promise.resolve(dracutHost()), apply)).toBe(5);
    await diesAnywhere(async () => {
      const fresh = dracutHost();
      await well(apply(fresh));
      return fresh;
    }, undo);
  });

  it('go out of an image that was made for this host only when nothing but modules-load.d is left in it', async () => {
    make();
    const [, load] = modulesChange().files;
    const only: ModulesChange = { kind: 'modules', files: [load!], initramfs: false };
    await well(applyModules(host, { changes: [only], guard: guard(2) }));
    // Somebody installs a kernel, and dracut copies the file.
    await host.run({ guard: guard(3), argv: ['dracut', '--force'], deadlineMs: 1000 });
    expect(host.model.tree.text(IMAGE)).toContain(MODULES_LOAD_PATH);
    await well(undoModules(host, { change: only, guard: guard(9) }));
    expect(host.model.tree.text(IMAGE)).not.toContain(MODULES_LOAD_PATH);
  });

  it('hold when dracut fails, naming it', async () => {
    make();
    host.model.faults.add({ kind: 'disk-full', under: '/boot' });
    const outcome = await apply();
    expect(outcome).toMatchObject({ kind: 'hold', code: 'initramfs.failed' });
    expect(JSON.stringify(outcome)).toContain(`creation of ${IMAGE} failed`);
  });

  it('hold when dracut left modprobe.d out', async () => {
    make();
    host.model.programs.set('dracut', {
      run: () => ({ code: 0, stdout: '', stderr: '', changed: false }),
    });
    expect(await apply()).toMatchObject({ kind: 'hold', code: 'initramfs.readback' });
  });
});

describe('the way back of other files on a host of dracut', () => {
  it('makes an image again that holds a rule, or the number of hugepages', async () => {
    make();
    const listing = `maker dracut\nimage ${IMAGE}\netc/tmpfiles.d/vfleet.conf`;
    const pages = hugepagesChange();
    host.model.tree.put(TMPFILES_PATH, pages.file.after ?? '');
    const outcome = await undoHugepages(answering(listing), { change: pages, guard: guard(9) });
    // The host goes on saying that it is in there.
    expect(outcome).toMatchObject({ kind: 'hold', code: 'initramfs.readback' });
    expect(host.model.log.runsOf('dracut')).toHaveLength(1);
  });
});

describe('a host whose images nobody can make or list', () => {
  const NONE = `maker none\nunreadable ${IMAGE}`;

  it('is left as it is, and held, when modules are asked for', async () => {
    make();
    const before = leavesOf(host);
    const outcome = await apply(answering(NONE));
    expect(outcome).toMatchObject({ kind: 'hold', code: 'initramfs.no-maker' });
    expect(JSON.stringify(outcome)).toContain(IMAGE);
    expect(differences(before, leavesOf(host))).toEqual({});
    expect(await undo(answering(NONE))).toMatchObject({ kind: 'ok' });
  });

  it('is held on the way back of a rule, which may be in an image', async () => {
    make();
    const [bind] = GPU_CHANGES;
    const outcome = await undoBind(answering(NONE), { change: bind, guard: guard(9) });
    expect(outcome).toMatchObject({ kind: 'hold', code: 'initramfs.no-maker' });
  });

  it('is fine without any image', async () => {
    make();
    await well(apply(answering('maker none')));
    await well(undo(answering('maker none')));
    await well(undoBind(answering('maker none'), { change: GPU_CHANGES[0], guard: guard(9) }));
  });

  it.each([undefined, '', 'maker \u001b[2J'])('is held when it says %j', async (output) => {
    make();
    const before = leavesOf(host);
    const outcome = await apply(answering(output));
    expect(outcome).toMatchObject({ kind: 'hold', code: 'initramfs.unlisted' });
    expect(differences(before, leavesOf(host))).toEqual({});
    expect(await undo(answering(output))).toMatchObject({ code: 'initramfs.unlisted' });
  });
});
