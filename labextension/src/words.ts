/** Numbers in the words she reads. */

/** "840 tokens", "1.2k tokens", "3.4M tokens". */
export function tokensShort(count: number): string {
  return `${short(count)} ${count === 1 ? 'token' : 'tokens'}`;
}

/** "1,240 tokens": for a number that is watched as it grows. */
export function tokensLong(count: number): string {
  return `${Math.round(count).toLocaleString('en-US')} ${count === 1 ? 'token' : 'tokens'}`;
}

/** "3 s", "2 min 5 s", "1 h 4 min". */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) {
    return `${whole} s`;
  }
  const minutes = Math.floor(whole / 60);
  return minutes < 60
    ? `${minutes} min ${whole % 60} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** The parts that are there, with middle dots between them. */
export function dotted(...parts: (string | undefined | false)[]): string {
  return parts.filter(part => part).join(' · ');
}

function short(count: number): string {
  if (count < 1000) {
    return String(Math.round(count));
  }
  const [value, unit] = count < 999_950 ? [count / 1000, 'k'] : [count / 1_000_000, 'M'];
  return `${value.toFixed(1).replace(/\.0$/, '')}${unit}`;
}
