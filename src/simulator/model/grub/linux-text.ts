import type { GrubFlavour } from './grub-flavour.ts';
import { QUICK_BOOT } from './grub-flavour.ts';

export interface LinuxSettings {
  readonly flavour: GrubFlavour;
  /** GRUB_DISTRIBUTOR: `Debian`, `Ubuntu`. */
  readonly distributor: string;
  /** GRUB_CMDLINE_LINUX: every entry has it. */
  readonly always: string;
  /** GRUB_CMDLINE_LINUX_DEFAULT: all but the recovery entries. */
  readonly normal: string;
  readonly rootUuid: string;
  /** Versions of the kernels in /boot, newest first. */
  readonly kernels: readonly string[];
  readonly recovery: boolean;
  /** Whether grub-probe gave hints (a disk that the firmware names), as on most machines; none in the lab. */
  readonly searchHints: boolean;
}

interface Entry {
  readonly kind: 'simple' | 'advanced' | 'recovery';
  readonly version: string;
  readonly indent: string;
}

const GFXMODE_DEBIAN = `function gfxmode {
	set gfxpayload="\${1}"
}
set linux_gfx_mode=
export linux_gfx_mode
`;

const GFXMODE_UBUNTU = `function gfxmode {
	set gfxpayload="\${1}"
	if [ "\${1}" = "keep" ]; then
		set vt_handoff=vt.handoff=7
	else
		set vt_handoff=
	fi
}
if [ "\${recordfail}" != 1 ]; then
  if [ -e \${prefix}/gfxblacklist.txt ]; then
    if hwmatch \${prefix}/gfxblacklist.txt 3; then
      if [ \${match} = 0 ]; then
        set linux_gfx_mode=keep
      else
        set linux_gfx_mode=text
      fi
    else
      set linux_gfx_mode=text
    fi
  else
    set linux_gfx_mode=keep
  fi
else
  set linux_gfx_mode=text
fi
export linux_gfx_mode
`;

/** What 10_linux prints: the default entry, and a submenu with a normal and a recovery entry of each kernel. */
export function linuxText(settings: LinuxSettings): string {
  const [newest] = settings.kernels;
  if (newest === undefined) return '';
  const kinds = settings.recovery ? (['advanced', 'recovery'] as const) : (['advanced'] as const);
  const inner = settings.kernels.flatMap((version) =>
    kinds.map((kind) => entryText(settings, { kind, version, indent: '\t' })),
  );
  return [
    settings.flavour === 'ubuntu' ? GFXMODE_UBUNTU : GFXMODE_DEBIAN,
    entryText(settings, { kind: 'simple', version: newest, indent: '' }),
    `submenu 'Advanced options for ${osName(settings)}' $menuentry_id_option 'gnulinux-advanced-${settings.rootUuid}' {\n`,
    ...inner,
    '}\n\n',
  ].join('');
}

function osName({ distributor }: LinuxSettings): string {
  return distributor === 'Ubuntu' ? distributor : `${distributor} GNU/Linux`;
}

function entryText(settings: LinuxSettings, entry: Entry): string {
  const lines = [
    heading(settings, entry),
    ...preamble(settings, entry),
    ...searchLines(settings),
    ...loadLines(settings, entry),
    '}',
  ];
  return lines.map((line) => `${entry.indent}${line}\n`).join('');
}

function heading(settings: LinuxSettings, { kind, version }: Entry): string {
  const name = osName(settings);
  const id = kind === 'simple' ? 'simple' : `${version}-${kind}`;
  const title = {
    simple: name,
    advanced: `${name}, with Linux ${version}`,
    recovery: `${name}, with Linux ${version} (recovery mode)`,
  }[kind];
  const family = settings.distributor.toLowerCase();
  return `menuentry '${title}' --class ${family} --class gnu-linux --class gnu --class os $menuentry_id_option 'gnulinux-${id}-${settings.rootUuid}' {`;
}

function preamble(settings: LinuxSettings, { kind }: Entry): readonly string[] {
  const ubuntu = settings.flavour === 'ubuntu';
  return [
    ...(QUICK_BOOT[settings.flavour] ? ['\trecordfail'] : []),
    '\tload_video',
    ...(ubuntu && kind !== 'recovery' ? ['\tgfxmode $linux_gfx_mode'] : []),
    '\tinsmod gzio',
    '\tif [ x$grub_platform = xxen ]; then insmod xzio; insmod lzopio; fi',
    '\tinsmod part_gpt',
    '\tinsmod ext2',
  ];
}

function searchLines({ rootUuid, searchHints }: LinuxSettings): readonly string[] {
  const search = 'search --no-floppy --fs-uuid --set=root';
  if (!searchHints) return [`\t${search} ${rootUuid}`];
  const hints = '--hint-bios=hd0,gpt2 --hint-efi=hd0,gpt2 --hint-baremetal=ahci0,gpt2';
  return [
    "\tset root='hd0,gpt2'",
    '\tif [ x$feature_platform_search_hint = xy ]; then',
    `\t  ${search} ${hints} ${rootUuid}`,
    '\telse',
    `\t  ${search} ${rootUuid}`,
    '\tfi',
  ];
}

function loadLines(settings: LinuxSettings, { kind, version }: Entry): readonly string[] {
  const single = settings.flavour === 'ubuntu' ? 'single nomodeset' : 'single';
  const args =
    kind === 'recovery' ? `${single} ${settings.always}` : `${settings.always} ${settings.normal}`;
  const quiet = QUICK_BOOT[settings.flavour] && kind === 'simple';
  const say = (message: string) => (quiet ? [] : [`\techo\t'${message}'`]);
  return [
    ...say(`Loading Linux ${version} ...`),
    `\tlinux\t/boot/vmlinuz-${version} root=UUID=${settings.rootUuid} ro ${args}`,
    ...say('Loading initial ramdisk ...'),
    `\tinitrd\t/boot/initrd.img-${version}`,
  ];
}
