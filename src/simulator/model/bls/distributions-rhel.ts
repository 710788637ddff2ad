import type { RhelDistribution, RhelOs } from '../distribution-types.ts';

/** What Anaconda writes for root and swap on LVM. */
const lvm = (volumes: string): readonly string[] => [
  `resume=/dev/mapper/${volumes}-swap`,
  `rd.lvm.lv=${volumes}/root`,
  `rd.lvm.lv=${volumes}/swap`,
];

/**
 * The RHEL family, as their public images and documents show them: os-release files as quoted in public, kernels that were
 * released for them, and what their installer leaves for a server with root on LVM. mkconfig: release 8 and Fedora 42 by their
 * branches of rhboot/grub2 (util/grub.d/10_linux.in, util/grub-mkconfig.in: Fedora has no `--update-bls-cmdline`); 9.2
 * as it was released, 9.3 and later by their release notes (field.md).
 */
export const RHEL: Readonly<Record<RhelOs, RhelDistribution>> = {
  'rhel-8.10': {
    family: 'rhel',
    kernels: ['4.18.0-553.107.1.el8_10.x86_64', '4.18.0-553.el8_10.x86_64'],
    efiFolder: 'redhat',
    volumes: 'rhel',
    args: ['crashkernel=auto', ...lvm('rhel')],
    mkconfig: 'kernelopts',
    tuned: true,
    translatedType: 'DMA',
    osRelease: `NAME="Red Hat Enterprise Linux"
VERSION="8.10 (Ootpa)"
ID="rhel"
ID_LIKE="fedora"
VERSION_ID="8.10"
PLATFORM_ID="platform:el8"
PRETTY_NAME="Red Hat Enterprise Linux 8.10 (Ootpa)"
ANSI_COLOR="0;31"
CPE_NAME="cpe:/o:redhat:enterprise_linux:8::baseos"
HOME_URL="https://www.redhat.com/"
DOCUMENTATION_URL="https://access.redhat.com/documentation/en-us/red_hat_enterprise_linux/8"
BUG_REPORT_URL="https://issues.redhat.com/"

REDHAT_BUGZILLA_PRODUCT="Red Hat Enterprise Linux 8"
REDHAT_BUGZILLA_PRODUCT_VERSION=8.10
REDHAT_SUPPORT_PRODUCT="Red Hat Enterprise Linux"
REDHAT_SUPPORT_PRODUCT_VERSION="8.10"
`,
  },
  'almalinux-9.2': {
    family: 'rhel',
    kernels: ['5.14.0-284.30.1.el9_2.x86_64', '5.14.0-284.11.1.el9_2.x86_64'],
    efiFolder: 'almalinux',
    volumes: 'almalinux',
    args: ['crashkernel=1G-4G:192M,4G-64G:256M,64G-:512M', ...lvm('almalinux')],
    mkconfig: 'rewrites',
    tuned: true,
    translatedType: 'DMA-FQ',
    osRelease: `NAME="AlmaLinux"
VERSION="9.2 (Turquoise Kodkod)"
ID="almalinux"
ID_LIKE="rhel centos fedora"
VERSION_ID="9.2"
PLATFORM_ID="platform:el9"
PRETTY_NAME="AlmaLinux 9.2 (Turquoise Kodkod)"
ANSI_COLOR="0;34"
LOGO="fedora-logo-icon"
CPE_NAME="cpe:/o:almalinux:almalinux:9::baseos"
HOME_URL="https://almalinux.org/"
DOCUMENTATION_URL="https://wiki.almalinux.org/"
BUG_REPORT_URL="https://bugs.almalinux.org/"

ALMALINUX_MANTISBT_PROJECT="AlmaLinux-9"
ALMALINUX_MANTISBT_PROJECT_VERSION="9.2"
REDHAT_SUPPORT_PRODUCT="AlmaLinux"
REDHAT_SUPPORT_PRODUCT_VERSION="9.2"
`,
  },
  'rocky-9.4': {
    family: 'rhel',
    kernels: ['5.14.0-427.42.1.el9_4.x86_64', '5.14.0-427.13.1.el9_4.x86_64'],
    efiFolder: 'rocky',
    volumes: 'rl',
    args: ['crashkernel=1G-4G:192M,4G-64G:256M,64G-:512M', ...lvm('rl')],
    mkconfig: 'on-request',
    tuned: true,
    translatedType: 'DMA-FQ',
    osRelease: `NAME="Rocky Linux"
VERSION="9.4 (Blue Onyx)"
ID="rocky"
ID_LIKE="rhel centos fedora"
VERSION_ID="9.4"
PLATFORM_ID="platform:el9"
PRETTY_NAME="Rocky Linux 9.4 (Blue Onyx)"
ANSI_COLOR="0;32"
LOGO="fedora-logo-icon"
CPE_NAME="cpe:/o:rocky:rocky:9::baseos"
HOME_URL="https://rockylinux.org/"
BUG_REPORT_URL="https://bugs.rockylinux.org/"
SUPPORT_END="2032-05-31"
ROCKY_SUPPORT_PRODUCT="Rocky-Linux-9"
ROCKY_SUPPORT_PRODUCT_VERSION="9.4"
REDHAT_SUPPORT_PRODUCT="Rocky Linux"
REDHAT_SUPPORT_PRODUCT_VERSION="9.4"
`,
  },
  'centos-10': {
    family: 'rhel',
    kernels: ['6.12.0-228.el10.x86_64', '6.12.0-211.el10.x86_64'],
    efiFolder: 'centos',
    volumes: 'cs',
    args: ['crashkernel=2G-64G:256M,64G-:512M', ...lvm('cs')],
    mkconfig: 'on-request',
    tuned: true,
    translatedType: 'DMA-FQ',
    osRelease: `NAME="CentOS Stream"
VERSION="10 (Coughlan)"
RELEASE_TYPE=stable
ID="centos"
ID_LIKE="rhel fedora"
VERSION_ID="10"
PLATFORM_ID="platform:el10"
PRETTY_NAME="CentOS Stream 10 (Coughlan)"
ANSI_COLOR="0;31"
LOGO="fedora-logo-icon"
CPE_NAME="cpe:/o:centos:centos:10"
HOME_URL="https://centos.org/"
VENDOR_NAME="CentOS"
VENDOR_URL="https://centos.org/"
BUG_REPORT_URL="https://issues.redhat.com/"
REDHAT_SUPPORT_PRODUCT="Red Hat Enterprise Linux 10"
REDHAT_SUPPORT_PRODUCT_VERSION="CentOS Stream"
`,
  },
  'fedora-42': {
    family: 'rhel',
    kernels: ['6.15.7-200.fc42.x86_64', '6.14.0-63.fc42.x86_64'],
    efiFolder: 'fedora',
    volumes: 'fedora',
    args: ['rd.lvm.lv=fedora/root'],
    mkconfig: 'rewrites',
    tuned: false,
    translatedType: 'DMA-FQ',
    osRelease: `NAME="Fedora Linux"
VERSION="42 (Server Edition)"
RELEASE_TYPE=stable
ID=fedora
VERSION_ID=42
VERSION_CODENAME=""
PLATFORM_ID="platform:f42"
PRETTY_NAME="Fedora Linux 42 (Server Edition)"
ANSI_COLOR="0;38;2;60;110;180"
LOGO=fedora-logo-icon
CPE_NAME="cpe:/o:fedoraproject:fedora:42"
DEFAULT_HOSTNAME="fedora"
HOME_URL="https://fedoraproject.org/"
DOCUMENTATION_URL="https://docs.fedoraproject.org/en-US/fedora/f42/"
SUPPORT_URL="https://ask.fedoraproject.org/"
BUG_REPORT_URL="https://bugzilla.redhat.com/"
REDHAT_BUGZILLA_PRODUCT="Fedora"
REDHAT_BUGZILLA_PRODUCT_VERSION=42
REDHAT_SUPPORT_PRODUCT="Fedora"
REDHAT_SUPPORT_PRODUCT_VERSION=42
SUPPORT_END=2026-05-13
VARIANT="Server Edition"
VARIANT_ID=server
`,
  },
};
