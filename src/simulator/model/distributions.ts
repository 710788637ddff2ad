import { RHEL } from './bls/distributions-rhel.ts';
import type { DebianDistribution, DebianOs, Os, RhelDistribution } from './distribution-types.ts';

export type { Os } from './distribution-types.ts';

const GRUB_NOTICE = `# If you change this file, run 'update-grub' afterwards to update
# /boot/grub/grub.cfg.
# For full documentation of the options in this file, see:
#   info -f grub -n 'Simple configuration'

`;

/**
 * What tells the distributions apart. Debian 12 is as the lab's machines show it (kernel 6.1.0-56); Ubuntu 24.04 is from
 * memory of its server image, and its GRUB scripts are Debian's with Ubuntu's switches.
 */
const DEBIAN: Readonly<Record<DebianOs, DebianDistribution>> = {
  'debian-12': {
    family: 'debian',
    flavour: 'debian',
    kernel: '6.1.0-56-amd64',
    osRelease: `PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
NAME="Debian GNU/Linux"
VERSION_ID="12"
VERSION="12 (bookworm)"
VERSION_CODENAME=bookworm
ID=debian
HOME_URL="https://www.debian.org/"
SUPPORT_URL="https://www.debian.org/support"
BUG_REPORT_URL="https://bugs.debian.org/"
`,
    grubHead: `${GRUB_NOTICE}GRUB_DEFAULT=0
GRUB_TIMEOUT=0
GRUB_DISTRIBUTOR=\`lsb_release -i -s 2> /dev/null || echo Debian\`
`,
    translatedType: 'DMA',
  },
  'ubuntu-24.04': {
    family: 'debian',
    flavour: 'ubuntu',
    kernel: '6.8.0-49-generic',
    osRelease: `PRETTY_NAME="Ubuntu 24.04.1 LTS"
NAME="Ubuntu"
VERSION_ID="24.04"
VERSION="24.04.1 LTS (Noble Numbat)"
VERSION_CODENAME=noble
ID=ubuntu
ID_LIKE=debian
HOME_URL="https://www.ubuntu.com/"
SUPPORT_URL="https://help.ubuntu.com/"
BUG_REPORT_URL="https://bugs.launchpad.net/ubuntu/"
PRIVACY_POLICY_URL="https://www.ubuntu.com/legal/terms-and-policies/privacy-policy"
UBUNTU_CODENAME=noble
LOGO=ubuntu-logo
`,
    grubHead: `${GRUB_NOTICE}GRUB_DEFAULT=0
GRUB_TIMEOUT_STYLE=hidden
GRUB_TIMEOUT=0
GRUB_DISTRIBUTOR=\`( . /etc/os-release; echo \${NAME:-Ubuntu} ) 2>/dev/null || echo Ubuntu\`
`,
    translatedType: 'DMA-FQ',
  },
};

export const DISTRIBUTIONS: Readonly<Record<Os, DebianDistribution | RhelDistribution>> = {
  ...DEBIAN,
  ...RHEL,
};
