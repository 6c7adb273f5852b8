// Times as people read them, and the life of a token on a line: when it was issued, from when and
// until when it holds, when the user signed in, now.
import { $, announce, element } from './dom.js';

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

const MARKS = [
  ['auth_time', 'signed in'],
  ['iat', 'issued'],
  ['nbf', 'valid from'],
  ['exp', 'expires'],
];
const TICK_MS = 1000;

let shown;
let timer;

/** Shows the line for these claims, and keeps it moving while the page is seen. */
export function showTimeline(claims) {
  clearInterval(timer);
  const marks = MARKS.filter(([name]) => isTime(claims?.[name])).map(([name, label]) => ({
    name,
    label,
    at: claims[name],
  }));
  shown = marks.length > 0 ? { marks, claims, was: undefined } : undefined;
  $('timeline').hidden = shown === undefined;
  if (!shown) return;
  $('track').replaceChildren(
    element('span', { className: 'validity' }),
    ...shown.marks.map(({ name }) => element('span', { className: 'mark', dataset: { name } })),
    element('span', { className: 'mark', dataset: { name: 'now' } }),
  );
  $('marks').replaceChildren(
    ...[...shown.marks, { name: 'now', label: 'now' }].map(({ name, label }) =>
      element(
        'li',
        { dataset: { name } },
        element('b', { textContent: label }),
        ' ',
        element('code', { textContent: name }),
        ' ',
        element('span', { className: 'when' }),
      ),
    ),
  );
  tick();
  timer = setInterval(tick, TICK_MS);
}

function tick() {
  if (document.hidden || !shown) return;
  const now = nowSeconds();
  const { marks, claims } = shown;
  const times = [...marks.map(({ at }) => at), now];
  const first = Math.min(...times);
  const span = Math.max(1, Math.max(...times) - first);
  const place = (at) => `${(((at - first) / span) * 100).toFixed(3)}%`;
  for (const { name, at } of [...marks, { name: 'now', at: now }]) {
    $('track').querySelector(`[data-name="${name}"]`).style.setProperty('--at', place(at));
    const text = name === 'now' ? new Date(now * 1000).toLocaleTimeString() : relative(at, now);
    $('marks').querySelector(`[data-name="${name}"] .when`).textContent = text;
  }
  const from = isTime(claims.nbf) ? claims.nbf : isTime(claims.iat) ? claims.iat : first;
  const validity = $('track').querySelector('.validity');
  validity.hidden = !isTime(claims.exp) || claims.exp < from;
  validity.style.setProperty('--from', place(Math.max(from, first)));
  validity.style.setProperty('--to', place(isTime(claims.exp) ? claims.exp : first));
  showCountdown(claims, now);
}

function showCountdown({ exp, nbf }, now) {
  const [state, text] = countdown(exp, nbf, now);
  $('countdown').textContent = text;
  $('countdown').dataset.state = state;
  // Each second would be too much to hear; that it is over is said once.
  if (shown.was === 'valid' && state === 'expired') announce('The token has just expired.');
  shown.was = state;
}

function countdown(exp, nbf, now) {
  if (isTime(nbf) && now < nbf) return ['early', `Valid in ${duration(nbf - now)}`];
  if (!isTime(exp)) return ['endless', 'It never expires'];
  return now < exp
    ? ['valid', `Expires in ${duration(exp - now)}`]
    : ['expired', `Expired ${duration(now - exp)} ago`];
}
