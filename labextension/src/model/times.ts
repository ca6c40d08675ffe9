const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A duration in the units a person would use; as the cards have it. */
export function duration(seconds: number): string {
  if (seconds < 1) {
    return `${Math.max(0, seconds).toFixed(2)} s`;
  }
  if (seconds < 10) {
    return `${seconds.toFixed(1)} s`;
  }
  const whole = Math.round(seconds);
  if (whole < MINUTE) {
    return `${whole} s`;
  }
  const two = (number: number) => String(Math.floor(number)).padStart(2, '0');
  if (whole < HOUR) {
    return `${Math.floor(whole / MINUTE)} min ${two(whole % MINUTE)} s`;
  }
  return `${Math.floor(whole / HOUR)} h ${two((whole % HOUR) / MINUTE)} min`;
}

/** The same in whole seconds, for what ticks: a fraction that is another each second says nothing. */
export function ticking(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  return whole < 10 ? `${whole} s` : duration(whole);
}

/** How long ago something was, as short as it goes: "now", "5 min", "3 h", "2 d". */
export function age(seconds: number): string {
  if (seconds < MINUTE) {
    return 'now';
  }
  if (seconds < HOUR) {
    return `${Math.floor(seconds / MINUTE)} min`;
  }
  return seconds < DAY ? `${Math.floor(seconds / HOUR)} h` : `${Math.floor(seconds / DAY)} d`;
}
