// The inspector's first section: a token in three colours, decoded, in plain words, and what is to
// be remarked about it.

import { hexOf } from '../base64url.js';
import { $, element } from '../dom.js';
import { isTime, local, nowSeconds, relative, showTimeline, TIME_CLAIMS, utc } from '../times.js';
import { CLAIMS, documentUrl, HEADER_MEMBERS, providerOf } from './claims.js';
import { pretty } from './token.js';
import { warningsOf } from './warnings.js';

const LONGEST_SHOWN = 20_000;
const LEVELS = { bad: 'Refused', warn: 'Warning', note: 'Note' };

/** The token in its colours, behind the field it is typed in. */
export function showColours(parts) {
  const pieces = parts.flatMap(({ text }, index) => [
    index > 0 ? '.' : '',
    element('span', { className: ['header', 'payload', 'signature'][index] ?? 'rest', textContent: text }),
  ]);
  // A last line break has no height of its own, and a field shows one more line than its text.
  $('coloured').replaceChildren(...pieces, '\n');
}

export function showInspection(taken, token) {
  const empty = token === '';
  $('nothing').hidden = !empty;
  $('inspection').hidden = empty;
  if (empty) {
    showTimeline(undefined);
    return;
  }
  const now = nowSeconds();
  const warnings = warningsOf(taken, token, now);
  showSummary(taken, warnings);
  showWarnings(warnings);
  showTimeline(taken.claims?.value);
  showDecoded($('decoded-header'), taken.header);
  showDecoded($('decoded-payload'), taken.claims);
  showMembers($('header-members'), taken.header?.value, HEADER_MEMBERS, now);
  showMembers($('claim-members'), taken.claims?.value, CLAIMS, now);
  showSignature(taken);
}

function showSummary({ kind, header, claims }, warnings) {
  const provider = providerOf(claims?.value, header?.value);
  const bad = warnings.filter(({ level }) => level === 'bad').length;
  const what =
    kind === 'jws' ? kindOf(header.value, claims.value) : kind === 'jwe' ? 'An encrypted token' : 'No token';
  $('kind').textContent = provider ? `${what}, from ${provider.name}` : what;
  $('judgement').textContent =
    bad > 0 ? `${bad} reason${bad === 1 ? '' : 's'} to refuse it` : 'Nothing stands out against it';
  $('judgement').dataset.level = bad > 0 ? 'bad' : 'good';
}

function kindOf(header, claims) {
  const typ = typeof header?.typ === 'string' ? header.typ.toLowerCase().replace(/^application\//, '') : '';
  if (typ === 'at+jwt') return 'An access token (RFC 9068)';
  if (typ === 'dpop+jwt') return 'A DPoP proof (RFC 9449)';
  if (typ === 'logout+jwt') return 'A logout token';
  if (claims?.nonce !== undefined || claims?.at_hash !== undefined) return 'Probably an ID token';
  if (claims?.scope !== undefined || claims?.scp !== undefined) return 'Probably an access token';
  return 'A signed token';
}

function showWarnings(warnings) {
  $('warnings').replaceChildren(
    ...warnings.map(({ level, title, why }) =>
      element(
        'li',
        { dataset: { level } },
        element('span', { className: 'level', textContent: LEVELS[level] }),
        element('b', { textContent: title }),
        element('span', { textContent: why }),
      ),
    ),
  );
  $('no-warnings').hidden = warnings.length > 0;
}

function showDecoded(place, part) {
  const text = part?.json === undefined ? (part?.problem ?? '') : pretty(part.json);
  place.textContent = text.slice(0, LONGEST_SHOWN);
  place.dataset.state = part?.problem ? 'broken' : 'whole';
}

/**
 * One row a member: its name, its value, times in three ways, what it means and where that is
 * written.
 */
function showMembers(place, value, known, now) {
  const entries = value ? Object.entries(value) : [];
  place.replaceChildren(
    ...entries.map(([name, member]) => {
      const [meaning, source] = (Object.hasOwn(known, name) && known[name]) || [
        'A member of the issuer’s own.',
        '',
      ];
      const row = element('div', { className: 'member' });
      row.append(
        element('dt', {}, element('code', { textContent: name })),
        element(
          'dd',
          {},
          ...shownValue(name, member, now),
          element('p', { className: 'meaning' }, `${meaning} `, ...reference(source)),
        ),
      );
      return row;
    }),
  );
}

function shownValue(name, value, now) {
  if (TIME_CLAIMS.includes(name) && isTime(value)) {
    const line = (label, text) =>
      element(
        'span',
        { className: 'time' },
        element('span', { className: 'zone', textContent: label }),
        ' ',
        text,
      );
    return [
      element('span', { className: 'value', textContent: relative(value, now) }),
      element(
        'span',
        { className: 'times' },
        line('local', local(value)),
        line('UTC', utc(value)),
        line('as sent', String(value)),
      ),
    ];
  }
  const list =
    name === 'scope' && typeof value === 'string'
      ? value.split(' ')
      : Array.isArray(value) && value.every((item) => typeof item !== 'object')
        ? value
        : undefined;
  if (list)
    return [
      element(
        'span',
        { className: 'value chips' },
        ...list.map((item) => element('span', { className: 'chip', textContent: String(item) })),
      ),
    ];
  const text = typeof value === 'string' ? value : JSON.stringify(value, null, 1);
  return [element('span', { className: 'value', textContent: text.slice(0, LONGEST_SHOWN) })];
}

function reference(source) {
  if (!source) return [];
  const href = documentUrl(source);
  return [
    href
      ? element('a', { href, textContent: source, rel: 'noreferrer' })
      : element('cite', { textContent: source }),
  ];
}

function showSignature({ signature, parts }) {
  const bytes = signature?.bytes ?? parts[2]?.bytes;
  $('decoded-signature').textContent = bytes
    ? hexOf(bytes)
        .replaceAll(/(.{8})/g, '$1 ')
        .trim() || 'There is none.'
    : (signature?.problem ?? 'There is none.');
  $('signature-size').textContent = bytes ? `${bytes.length} bytes` : '';
}
