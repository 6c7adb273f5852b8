// Times as people read them.

/** The last second of the year 9999: beyond it the core takes no time (src/time.rs). */
const LAST = 253_402_300_799;
const UNITS = [
  ['year', 31_556_952],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
];

export const TIME_CLAIMS = ['iat', 'nbf', 'exp', 'auth_time', 'updated_at'];

export const nowSeconds = () => Math.floor(Date.now() / 1000);

/** A NumericDate that can be shown (RFC 7519 §2). */
export const isTime = (value) =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0 && value <= LAST;

/** Two units are enough: `2 days 3 hours`. */
export function duration(seconds) {
  let rest = Math.abs(Math.trunc(seconds));
  const words = [];
  for (const [unit, size] of UNITS) {
    const count = Math.floor(rest / size);
    if (count === 0 && words.length === 0) continue;
    rest -= count * size;
    if (count > 0) words.push(`${count} ${unit}${count === 1 ? '' : 's'}`);
    if (words.length === 2 || size === 1) break;
  }
  return words.join(' ') || '0 seconds';
}

export function relative(seconds, now) {
  const away = Math.trunc(seconds - now);
  if (away === 0) return 'now';
  return away > 0 ? `in ${duration(away)}` : `${duration(away)} ago`;
}

const localFormat = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'long' });

export const local = (seconds) => localFormat.format(new Date(seconds * 1000));
export const utc = (seconds) =>
  new Date(seconds * 1000)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.000Z$|Z$/, ' UTC');
