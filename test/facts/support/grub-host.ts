import { once } from 'node:events';
import type { GrubDebianChange } from '../../../src/domain/changes.ts';
import { TRIAL_SNIPPET, dropInText, trialArgsText } from '../../../src/domain/drop-in.ts';
import { leaseText } from '../../../src/facts/lease.ts';
import { motdText } from '../../../src/facts/motd.ts';
import type { RecordedRun } from '../../../src/facts/record.ts';
import { recordText } from '../../../src/facts/record.ts';
import { undoText } from '../../../src/facts/undo-text.ts';
import type { OpenSshHost } from '../../host/support/openssh-host.ts';

const DROP_IN = '/etc/default/grub.d/zz-vfleet.cfg';
const STATE = '/var/lib/vfleet';
const LINE_BEFORE = ['root=UUID=1', 'ro', 'console=ttyS0', 'quiet'];

/** What an earlier rollout of another spec left there. */
export const EARLIER = dropInText({ add: ['hugepages=4'], drop: [] });

/** A change on a host that no rollout was on before. */
export const CHANGE: GrubDebianChange = {
  kind: 'cmdline',
  loader: 'grub-debian',
  add: ['intel_iommu=on', 'iommu=pt'],
  drop: [],
  before: LINE_BEFORE,
  after: [...LINE_BEFORE, 'intel_iommu=on', 'iommu=pt'],
  dropIn: { before: null, after: dropInText({ add: ['intel_iommu=on', 'iommu=pt'], drop: [] }) },
  createsFolder: true,
};

export const LEASE_OF_RUN = {
  id: 'l1',
  rollout: 'enable-iommu#3',
  engine: 'prod',
  who: 'ops1',
  since: '2026-11-22T20:00:00.000Z',
};

/** The run whose change is taken back. */
export const RUN: RecordedRun = {
  rollout: LEASE_OF_RUN.rollout,
  who: LEASE_OF_RUN.who,
  since: LEASE_OF_RUN.since,
  changes: [CHANGE],
};

/**
 * Does what Debian's does as far as this matters: sources the settings, writes the default entry, runs the executable
 * scripts of /etc/grub.d (vfleet's real trial snippet is one), and replaces grub.cfg.
 */
const UPDATE_GRUB = `#!/bin/sh
set -e
GRUB_CMDLINE_LINUX= GRUB_CMDLINE_LINUX_DEFAULT=
. /etc/default/grub
for file in /etc/default/grub.d/*.cfg; do if [ -e "$file" ]; then . "$file"; fi; done
new=/boot/grub/grub.cfg.new
printf "menuentry 'Debian' {\\n\\tlinux\\t/boot/vmlinuz root=UUID=1 ro  %s %s\\n}\\n" "$GRUB_CMDLINE_LINUX" "$GRUB_CMDLINE_LINUX_DEFAULT" >"$new"
for file in /etc/grub.d/*; do if [ -x "$file" ]; then "$file" >>"$new"; fi; done
mv "$new" /boot/grub/grub.cfg
`;

/** \`list\` and \`unset NAME\` on a block of lines. */
const GRUB_EDITENV = `#!/bin/sh
case $2 in
  list) grep -v '^#' "$1" || : ;;
  unset) grep -v "^$3=" "$1" >"$1.new" || :; mv "$1.new" "$1" ;;
  *) exit 1 ;;
esac
`;

/** A throw-away root with GRUB's tools in small, on which a run has begun. */
export interface GrubHost extends Pick<OpenSshHost, 'get' | 'put' | 'program'> {
  readonly change: GrubDebianChange;
  /** Everything that a rollout may change, as it was before. */
  readonly before: Readonly<Record<string, string | undefined>>;
  tree(): Promise<Readonly<Record<string, string | undefined>>>;
  /** Runs UNDO.txt as a person would. */
  undo(): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }>;
  trial(): Promise<void>;
  arm(entry?: string): Promise<void>;
  /** The line of the running kernel. */
  runs(line: string): Promise<void>;
  makeDefault(): Promise<void>;
  giveUp(): Promise<void>;
  restoreDropIn(): Promise<void>;
  breakUpdateGrub(): Promise<void>;
  mendUpdateGrub(): Promise<void>;
}

/** Makes one; `earlier` is the drop-in that it has already. */
export async function makeGrubHost(host: OpenSshHost, earlier: string | null): Promise<GrubHost> {
  const sh = async (command: string) => {
    const child = host.start(command);
    const output = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()));
    const [code] = (await once(child, 'close')) as [number];
    return { code, ...output };
  };
  const must = async (command: string) => {
    const { code, stderr } = await sh(command);
    if (code !== 0) throw new Error(`${command}: ${stderr}`);
  };
  const tool = async (name: string, text: string) => {
    await host.put(`/usr/local/sbin/${name}`, text);
    await must(`chmod 755 /usr/local/sbin/${name}`);
  };
  const paths = [DROP_IN, '/boot/grub/grub.cfg', '/boot/grub/grubenv', `${STATE}/lease`];
  const folders = ['/etc', '/etc/default/grub.d', '/etc/grub.d', '/etc/motd.d', STATE];
  const tree = async () => {
    const entries: [string, string | undefined][] = [];
    for (const path of paths) entries.push([path, (await host.get(path))?.toString()]);
    for (const folder of folders) {
      const own = ['UNDO.txt', 'lock', 'record.json', 'undone'];
      const names = (await host.names(folder)).filter((name) => !own.includes(name));
      entries.push([folder, names.join(' ')]);
    }
    return Object.fromEntries(entries);
  };

  await host.put(
    '/etc/default/grub',
    'GRUB_CMDLINE_LINUX_DEFAULT="quiet"\nGRUB_CMDLINE_LINUX="console=ttyS0"\n',
  );
  await must('mkdir -p /etc/grub.d /boot/grub /var/lib/vfleet');
  await host.put('/boot/grub/grubenv', '# GRUB Environment Block\nsaved_entry=0\n');
  if (earlier !== null) await host.put(DROP_IN, earlier);
  await tool('update-grub', UPDATE_GRUB);
  await tool('grub-editenv', GRUB_EDITENV);
  await must('update-grub');
  const change = changeAfter(earlier);
  const runs = (line: string) => host.put('/proc/cmdline', `BOOT_IMAGE=/boot/vmlinuz ${line}\n`);
  await runs(change.before.join(' '));
  const before = await tree();

  const run = { ...RUN, changes: [change] };
  await host.put(`${STATE}/lease`, leaseText(LEASE_OF_RUN, { madeFolder: true }));
  await host.put(`${STATE}/record.json`, recordText({ version: 1, runs: [run] }));
  await host.put(`${STATE}/UNDO.txt`, undoText(run) ?? 'exit 9');
  await host.put('/etc/motd.d/50-vfleet', motdText(LEASE_OF_RUN, 'hv1'));
  return {
    get: (path) => host.get(path),
    put: (path, content) => host.put(path, content),
    program: (name, behaviour) => host.program(name, behaviour),
    change,
    before,
    tree,
    runs,
    undo: () => sh(`SUDO_USER=ops2 sh ${STATE}/UNDO.txt`),
    trial: async () => {
      await host.put(`${STATE}/trial.args`, trialArgsText(change));
      await host.put(`${STATE}/trial.id`, 't1\n');
      await host.put('/etc/grub.d/42_vfleet_trial', TRIAL_SNIPPET);
      await must(
        'chmod 755 /etc/grub.d/42_vfleet_trial && update-grub && grep -q vfleet-trial /boot/grub/grub.cfg',
      );
    },
    arm: (entry = 'vfleet-trial') => must(`echo next_entry=${entry} >>/boot/grub/grubenv`),
    makeDefault: async () => {
      await host.put(DROP_IN, change.dropIn.after);
      await must('update-grub && grep -q iommu=pt /boot/grub/grub.cfg');
    },
    giveUp: () => must(`rm -r ${STATE}/lease /etc/motd.d`),
    restoreDropIn: () =>
      earlier === null
        ? must(`rm ${DROP_IN} && rmdir /etc/default/grub.d`)
        : host.put(DROP_IN, earlier),
    breakUpdateGrub: () => tool('update-grub', '#!/bin/sh\nexit 1\n'),
    mendUpdateGrub: () => tool('update-grub', UPDATE_GRUB),
  };
}

function changeAfter(earlier: string | null): GrubDebianChange {
  if (earlier === null) return CHANGE;
  const before = [...LINE_BEFORE, 'hugepages=4'];
  return {
    ...CHANGE,
    before,
    after: [...before, ...CHANGE.add],
    dropIn: {
      before: earlier,
      after: dropInText({ add: ['hugepages=4', ...CHANGE.add], drop: [] }),
    },
    createsFolder: false,
  };
}
