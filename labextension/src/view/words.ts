import type { PhaseName } from '../api/generated';

/** The order in which phases are listed. */
export const PHASES: readonly PhaseName[] = [
  'failed',
  'timed_out',
  'aborted',
  'running',
  'initializing',
  'waiting_for_resources',
  'queued',
  'succeeded'
];

/** A moment as local time, with the date unless it is today. */
export function clock(at: number, now = Date.now() / 1000): string {
  const moment = new Date(at * 1000);
  const isToday = new Date(now * 1000).toDateString() === moment.toDateString();
  return isToday ? moment.toLocaleTimeString() : moment.toLocaleString();
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** A size in the unit a person would use. */
export function bytes(value: number): string {
  const power = value > 0 ? Math.min(4, Math.floor(Math.log2(value) / 10)) : 0;
  const number = value / 1024 ** power;
  const shown = number < 10 && power > 0 ? number.toFixed(1).replace('.0', '') : number.toFixed(0);
  return `${shown} ${UNITS[power]}`;
}
