import { cmdlineOf } from '../../domain/changes.ts';
import { withoutTrialArgs } from '../../domain/drop-in.ts';
import { sameArgSet } from '../../domain/kernel-args.ts';
import type { HostStatus } from '../../domain/status.ts';
import type { HostLook } from '../look-at-host.ts';
import type { HostView } from './host.ts';
import { withLabel } from './lines.ts';
import type { Style } from './style.ts';
import { clock, moment } from './time.ts';

type Answer = Extract<HostLook, { kind: 'answers' }>;

/** How the host is now, from a fresh look; and what the rollout has made of it. */
export function nowLines({ status, look }: HostView, style: Style): string[] {
  const { run } = status;
  const ours = [
    run.drained ? 'drained' : 'not drained',
    run.leaseId === null ? 'no lease of this rollout' : 'leased to this rollout',
  ].join(', ');
  return look === undefined
    ? [withLabel('NOW', `not asked; ${ours}`)]
    : [withLabel('NOW', lookText(look, status, style)), withLabel('', ours)];
}

/** One look in words; with the host's run also which boot and line that is. */
export function lookText(look: HostLook, status: HostStatus | undefined, style: Style): string {
  const at = clock(new Date(look.at));
  switch (look.kind) {
    case 'answers':
      return `${style.good('up')}   answered ${at}${status === undefined ? '' : `: ${bootText(look, status)}${lineText(look, status)}`}`;
    case 'away':
      return `${style.bad('no answer')}   ${look.code} at ${at}: ${look.sentence}`;
    case 'not-asked':
      return `not asked: ${look.sentence}`;
  }
}

/** Whether it has booted since it was told to, or since it was last seen. */
function bootText({ bootId }: Answer, { run }: HostStatus): string {
  if (bootId === undefined) return 'without a boot id';
  const short = `boot ${bootId.slice(0, 8)}`;
  if (bootId === run.bootIdBefore) return `${short}, the one before the reboot`;
  if (run.bootIdBefore !== null) return `${short}, after the reboot`;
  return run.bootId === null || run.bootId === bootId ? short : `${short}, ANOTHER than was seen`;
}

function lineText({ runningArgs, bootLoader }: Answer, { run }: HostStatus): string {
  const change = cmdlineOf([...run.changes, ...run.undo.map((entry) => entry.change)]);
  if (change === undefined) return '';
  const plain = withoutTrialArgs(runningArgs);
  // The boot that was the trial runs on when its line is made the default, and its own line keeps the marks of the trial.
  const isDefault = bootLoader.supported && sameArgSet(bootLoader.defaultEntry.args, change.after);
  const trial = plain.length === runningArgs.length ? '' : ' on trial';
  const how = trial !== '' && isDefault ? ', the default since its trial' : trial;
  if (sameArgSet(plain, change.after)) return `, on the new kernel line${how}`;
  return sameArgSet(plain, change.before)
    ? ', on the old kernel line'
    : ', on NEITHER the old nor the new kernel line';
}

/** Most guests named. */
const GUESTS_MAX = 8;

/** The guests on it now, or what is known of them since its drain. */
export function guestsLine(view: HostView): string {
  const known = sinceDrain(view);
  if (view.look?.kind !== 'answers') return withLabel('GUESTS', known ?? 'not known');
  const { guests } = view.look;
  if (guests.length === 0) {
    return withLabel('GUESTS', `none run${known === undefined ? '' : `; ${known}`}`);
  }
  const more = guests.length > GUESTS_MAX ? ` and ${guests.length - GUESTS_MAX} more` : '';
  return withLabel(
    'GUESTS',
    `${guests.length} run: ${guests.slice(0, GUESTS_MAX).join(' ')}${more}`,
  );
}

function sinceDrain({ status, now }: HostView): string | undefined {
  const { run, stepsAt } = status;
  const when = stepsAt.drain === undefined ? '' : ` at ${moment(stepsAt.drain, now)}`;
  if (run.drained) return `the drain hook moved them away${when}`;
  return run.evidence.drain?.['guests'] === 'none' ? `none ran at the drain${when}` : undefined;
}
