import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  TRIAL_ONLY_ARGS,
  dropInText,
  TRIAL_SNIPPET,
  trialArgsText,
} from '../../src/domain/drop-in.ts';
import { makeHostTree } from '../../src/simulator/model/make-host-tree.ts';
import { generateGrubCfg } from '../../src/simulator/model/grub/update-grub.ts';
import { trialText } from '../../src/simulator/model/grub/trial-text.ts';

const fixture = (name: string) => readFileSync(new URL(name, import.meta.url), 'utf8');
const DROP_IN = '/etc/default/grub.d/zz-vfleet.cfg';

const generate = (host: ReturnType<typeof makeHostTree>) =>
  generateGrubCfg(host.tree, host.machine).text;
const linuxLines = (cfg: string) =>
  [...cfg.matchAll(/^\s*linux\t(.*)$/gm)].map((match) => match[1]?.replace(/^.* ro /, '') ?? '');

describe('the model of update-grub', () => {
  it("writes what Debian 12's real update-grub wrote in the lab, byte for byte", () => {
    const { tree, machine } = makeHostTree({ name: 'a' });
    const real = fixture('../fixtures/debian-12/grub.cfg');
    const rootUuid = /root=UUID=(\S+)/.exec(real)![1]!;
    tree.put('/etc/default/grub', fixture('../fixtures/debian-12/default-grub'));
    expect(generateGrubCfg(tree, { ...machine, rootUuid }).text).toBe(real);
  });

  it("writes what grub-mkconfig 2.06 writes with Ubuntu's switches, byte for byte", () => {
    const { tree, machine } = makeHostTree({
      name: 'u',
      os: 'ubuntu-24.04',
      kernelArgs: [],
      defaultArgs: [],
    });
    tree.remove('/sys/firmware/efi');
    const real = fixture('fixtures/grub-ubuntu.cfg');
    const rootUuid = /root=UUID=(\S+)/.exec(real)![1]!;
    expect(generateGrubCfg(tree, { ...machine, rootUuid }).text).toBe(real);
  });

  it('sources the drop-ins after the main file, in order', () => {
    const host = makeHostTree({ name: 'a', kernelArgs: ['intel_iommu=off'] });
    host.tree.put('/etc/default/grub.d/10.cfg', 'GRUB_CMDLINE_LINUX_DEFAULT="one two"\n');
    host.tree.put(
      '/etc/default/grub.d/20.cfg',
      'GRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT three" # why\n',
    );
    expect(linuxLines(generate(host))).toEqual([
      'intel_iommu=off one two three',
      'intel_iommu=off one two three',
      'single intel_iommu=off',
    ]);
  });

  it('interprets our drop-in as a real shell does', () => {
    const text = dropInText({ add: ['intel_iommu=on', 'iommu=pt'], drop: ['intel_iommu=off'] });
    const host = makeHostTree({ name: 'a', kernelArgs: ['console=ttyS0', 'intel_iommu=off'] });
    host.tree.put(DROP_IN, text);
    const shell = execFileSync(
      '/bin/sh',
      [
        '-c',
        `GRUB_CMDLINE_LINUX="console=ttyS0 intel_iommu=off"; GRUB_CMDLINE_LINUX_DEFAULT=quiet\n${text}\nprintf '%s %s' "$GRUB_CMDLINE_LINUX" "$GRUB_CMDLINE_LINUX_DEFAULT"`,
      ],
      { encoding: 'utf8' },
    );
    expect(linuxLines(generate(host))[0]).toBe(shell);
    expect(shell).toBe('console=ttyS0 quiet intel_iommu=on iommu=pt');
  });

  it.each([
    ['a function', 'f() { :; }\n'],
    ['a command substitution', 'GRUB_CMDLINE_LINUX="$(cat /proc/cmdline)"\n'],
    ['a drop-in whose comments and shell differ', `${dropInText({ add: ['a'], drop: ['b'] })}x\n`],
    ['a variable that it does not know', 'GRUB_GFXMODE=640x480\n'],
  ])('refuses loudly what it cannot interpret: %s', (_what, text) => {
    const host = makeHostTree({ name: 'a' });
    host.tree.put(DROP_IN, text);
    expect(() => generate(host)).toThrow(/model/);
  });

  it('passes over a script that is not executable, and refuses one that it does not know', () => {
    const host = makeHostTree({ name: 'a' });
    const before = generate(host);
    host.tree.put('/etc/grub.d/09_own', '#!/bin/sh\necho hello\n', 0o644);
    expect(generate(host)).toBe(before);
    host.tree.put('/etc/grub.d/09_own', '#!/bin/sh\necho hello\n', 0o755);
    expect(() => generate(host)).toThrow('cannot run /etc/grub.d/09_own');
  });

  it('prints no trial entry without its arguments, and one with them, the default entry as it was', () => {
    const host = makeHostTree({ name: 'a', kernelArgs: ['intel_iommu=off'] });
    const before = generate(host);
    host.tree.put('/etc/grub.d/42_vfleet_trial', TRIAL_SNIPPET, 0o755);
    expect(linuxLines(generate(host))).toEqual(linuxLines(before));
    host.tree.put('/var/lib/vfleet/trial.id', 't1\n');
    host.tree.put(
      '/var/lib/vfleet/trial.args',
      trialArgsText({ add: ['intel_iommu=on'], drop: ['intel_iommu=off'] }),
    );
    const lines = linuxLines(generate(host));
    expect(lines.slice(0, -1)).toEqual(linuxLines(before));
    expect(lines.at(-1)).toBe(`quiet intel_iommu=on ${TRIAL_ONLY_ARGS.join(' ')} vfleet.trial=t1`);
  });

  it('prints the trial entry that the awk program of the snippet prints', () => {
    const folder = mkdtempSync(join(tmpdir(), 'vfleet-'));
    try {
      const menu = fixture('../fixtures/debian-12/grub.cfg');
      const args = trialArgsText({ add: ['intel_iommu=on', 'a=b'], drop: ['intel_iommu=off'] });
      for (const [name, text] of Object.entries({ menu, args, id: 't-7\n' })) {
        writeFileSync(join(folder, name), text);
      }
      const script = TRIAL_SNIPPET.replace('/var/lib/vfleet/trial.args', join(folder, 'args'))
        .replace('/var/lib/vfleet/trial.id', join(folder, 'id'))
        .replace('/boot/grub/grub.cfg.new', join(folder, 'menu'));
      const real = execFileSync('/bin/sh', ['-c', script], { encoding: 'utf8' });
      expect(trialText(menu, args, 't-7')).toBe(real);
      expect(real).toContain(`a=b ${TRIAL_ONLY_ARGS.join(' ')} vfleet.trial=t-7`);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
