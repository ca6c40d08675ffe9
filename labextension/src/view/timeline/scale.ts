/** A stretch of an axis, in its own units: seconds, cores, bytes. */
export interface IRange {
  from: number;
  to: number;
}

/** Where a value is on an axis of so many pixels. */
export function place(value: number, { from, to }: IRange, size: number): number {
  return ((value - from) / Math.max(to - from, Number.MIN_VALUE)) * size;
}

/** The value at so many pixels. */
export function valueAt(pixels: number, { from, to }: IRange, size: number): number {
  return from + (pixels / Math.max(size, 1)) * (to - from);
}

/** Show less (a factor below 1) or more around a value, at most the whole and at least a millisecond. */
export function zoom(range: IRange, factor: number, around: number, whole: IRange): IRange {
  const now = range.to - range.from;
  const size = Math.min(whole.to - whole.from, Math.max(0.001, now * factor));
  const share = now > 0 ? (around - range.from) / now : 0.5;
  return within(around - share * size, size, whole);
}

/** Show what is beside it. */
export function pan(range: IRange, by: number, whole: IRange): IRange {
  return within(range.from + by, range.to - range.from, whole);
}

/** Show a stretch; the same as long as it is seen already. */
export function reveal(range: IRange, wanted: IRange, whole: IRange): IRange {
  const size = range.to - range.from;
  if (wanted.to >= range.from && wanted.from <= range.to) {
    return range;
  }
  return within((wanted.from + wanted.to - size) / 2, size, whole);
}

function within(from: number, size: number, whole: IRange): IRange {
  const start = Math.max(whole.from, Math.min(from, whole.to - size));
  return { from: start, to: start + size };
}

const SECONDS = [
  0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900,
  1800, 3600, 7200, 10800, 21600, 43200, 86400
];

/** Moments for the axis, at least so many pixels apart, counted from the beginning of the whole. */
export function moments(range: IRange, start: number, size: number, apart = 90): number[] {
  const least = ((range.to - range.from) / Math.max(size, 1)) * apart;
  const step = SECONDS.find(one => one >= least) ?? Math.ceil(least / 86400) * 86400;
  return steps({ from: range.from - start, to: range.to - start }, step).map(at => at + start);
}

/** Round values for an axis: about `count` of them, in steps of 1, 2 or 5, or of powers of two for bytes. */
export function ticks(range: IRange, count: number, isBytes = false): number[] {
  const least = (range.to - range.from) / Math.max(count, 1);
  if (!(least > 0)) {
    return [range.from];
  }
  if (isBytes) {
    return steps(range, 2 ** Math.ceil(Math.log2(least)));
  }
  const power = 10 ** Math.floor(Math.log10(least));
  const step = power * ([1, 2, 5].find(one => one * power >= least) ?? 10);
  return steps(range, step);
}

function steps({ from, to }: IRange, step: number): number[] {
  const first = Math.ceil(from / step - 1e-9);
  const last = Math.floor(to / step + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => (first + i) * step);
}

/** A moment of an axis in words, as exact as its steps: "0", "1.5 s", "2:05", "1:00:00". */
export function momentWord(seconds: number, step: number): string {
  if (Math.abs(seconds) < 1e-9) {
    return '0';
  }
  if (step < 1 || seconds < 60) {
    const digits = step < 1 ? Math.min(3, Math.ceil(-Math.log10(step) - 1e-9)) : 0;
    return `${seconds.toFixed(digits)} s`;
  }
  const whole = Math.round(seconds);
  const two = (number: number) => String(number).padStart(2, '0');
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)];
  const rest = two(whole % 60);
  return hours ? `${hours}:${two(minutes)}:${rest}` : `${minutes}:${rest}`;
}
