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
  showPart('header', taken.header, HEADER_MEMBERS, now);
  showPart('payload', taken.claims, CLAIMS, now);
  showSignature(taken);
  $('forms').hidden = $('header-part').hidden && $('claims-part').hidden;
}

/** Header and claims are read in words or as JSON: the same, so not side by side. */
export function startInspection() {
  const buttons = $('forms').querySelectorAll('button');
  for (const button of buttons)
    button.addEventListener('click', () => {
      $('inspection').dataset.form = button.dataset.form;
      for (const each of buttons) each.setAttribute('aria-pressed', String(each === button));
    });
}

const PLACES = {
  header: ['header-part', 'decoded-header', 'header-members'],
  payload: ['claims-part', 'decoded-payload', 'claim-members'],
};

/** What is no part of a token has no panel: an empty one says nothing. */
function showPart(name, part, known, now) {
  const [panel, decoded, members] = PLACES[name].map($);
  panel.hidden = !part || (part.json === undefined && part.text === '');
  // What is no object, or one without members, cannot be explained member by member.
  panel.dataset.plain = String(!part?.value || Object.keys(part.value).length === 0);
  showDecoded(decoded, part);
  showMembers(members, part?.value, known, now);
}

function showSummary({ kind, header, claims }, warnings) {
  const provider = providerOf(claims?.value, header?.value);
  const bad = warnings.filter(({ level }) => level === 'bad').length;
  const what =
    kind === 'jws' ? kindOf(header.value, claims.value) : kind === 'jwe' ? 'An encrypted token' : 'No token';
  $('kind').textContent = provider ? `${what}, from ${provider.name}` : what;
  $('judgement').textContent =
    bad > 0 ? `${bad} reason${bad === 1 ? '' : 's'} to refuse it` : 'Nothing stands out against it';
  // That is no praise: nobody has looked at the signature.
  $('judgement').dataset.level = bad > 0 ? 'bad' : 'none';
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

function showSignature({ kind, signature, parts }) {
  $('signature-part').hidden = kind !== 'jws';
  const bytes = signature?.bytes ?? parts[2]?.bytes;
  $('decoded-signature').textContent = bytes
    ? hexOf(bytes)
        .replaceAll(/(.{8})/g, '$1 ')
        .trim() || 'There is none.'
    : (signature?.problem ?? 'There is none.');
  $('signature-size').textContent = bytes ? `${bytes.length} bytes` : '';
}
