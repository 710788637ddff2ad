import { duration } from '../../domain/duration.ts';

/** Time since an ISO 8601 moment, in the same words. */
export function age(since: string, now: Date): string {
  return duration(now.getTime() - Date.parse(since));
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const;

/**
 * A moment in the reader's own time zone: `02:51` within a day of now, else `Mon 22:04`, and with the date when it is
 * a week or more away.
 */
export function moment(iso: string, now: Date): string {
  const at = new Date(iso);
  const clock = `${two(at.getHours())}:${two(at.getMinutes())}`;
  const away = Math.abs(now.getTime() - at.getTime());
  if (away >= 6 * 86_400_000) {
    return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${clock}`;
  }
  const sameDay = at.getDate() === now.getDate() && away < 86_400_000;
  return sameDay ? clock : `${DAYS[at.getDay()] ?? ''} ${clock}`;
}

/** An ISO 8601 moment in UTC that stands alone, so not one in a path or a name. */
const ISO = /(?<![^\s(])\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z(?=[\s.,;:)]|$)/g;

/** A sentence of vfleet's with the moments in it on the reader's own clock: only JSON speaks UTC. */
export function localTimes(sentence: string, now: Date): string {
  return sentence.replaceAll(ISO, (iso) => moment(iso, now));
}

/** `02:13:07`, in the reader's own time zone. */
export function clock(at: Date): string {
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
