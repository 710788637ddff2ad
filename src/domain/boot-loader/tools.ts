import type { LoaderFacts } from '../facts.ts';

/** How a family calls the tools of GRUB that drive the one-shot. */
export interface LoaderTools {
  readonly editenv: string;
  readonly reboot: string;
}

export const LOADER_TOOLS: Readonly<Record<LoaderFacts['kind'], LoaderTools>> = {
  'grub-debian': {
    editenv: 'grub-editenv',
    reboot: 'grub-reboot',
  },
  'grub-bls': {
    editenv: 'grub2-editenv',
    reboot: 'grub2-reboot',
  },
};

/** Id of our trial entry, by which the one-shot names it. */
export const TRIAL_ENTRY_ID = 'vfleet-trial';
