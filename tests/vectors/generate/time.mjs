// Time: whole seconds, checked, with a leeway that has a cap. The clock is an argument.
import { accept, claims, collection, NOW, policy, refuse, token } from './signing.mjs';

const { add, file } = collection('Own; expectations computed with unbounded integers in the generator.', {
  exact: { ...policy(['ES256']), leewaySeconds: 0 },
  slack: { ...policy(['ES256']), leewaySeconds: 300 },
});

export { file };

const MAX = 253402300799;
const of = (more) => token({ payload: claims({ iat: undefined, ...more }) });
const raw = (claim, text) =>
  token({
    payload: JSON.stringify(claims({ iat: undefined, [claim]: 12345678901 })).replace('12345678901', text),
  });

// The instant itself, with each leeway
for (const [name, leeway] of [
  ['exact', 0],
  ['default', 5],
  ['slack', 300],
]) {
  for (const offset of [-1, 0, 1]) {
    const exp = NOW - leeway + offset;
    const expired = BigInt(NOW) - BigInt(leeway) >= BigInt(exp);
    add(
      `${expired ? 'refuses' : 'accepts'}-exp-${offset}-by-leeway-${leeway}`,
      35,
      'The time must be before the expiry (RFC 7519 section 4.1.4).',
      { policy: name, token: of({ exp }) },
      expired ? refuse('expired', { now: NOW, expires: exp, leeway }) : accept(),
    );
    const nbf = NOW + leeway + offset;
    const early = BigInt(NOW) + BigInt(leeway) < BigInt(nbf);
    add(
      `${early ? 'refuses' : 'accepts'}-nbf-${offset}-by-leeway-${leeway}`,
      35,
      'The time must not be before nbf (RFC 7519 section 4.1.5).',
      { policy: name, token: of({ nbf }) },
      early ? refuse('not-yet-valid', { now: NOW, notBefore: nbf, leeway }) : accept(),
    );
    add(
      `${early ? 'refuses' : 'accepts'}-iat-${offset}-by-leeway-${leeway}`,
      35,
      'Issued in the future: a cutoff by time of issue would miss it.',
      { policy: name, token: of({ iat: nbf }) },
      early ? refuse('issued-in-future', { now: NOW, issuedAt: nbf, leeway }) : accept(),
    );
  }
}

// Forms of a number
const forms = {
  'a-huge-exponent': '1e300',
  'a-fraction-past-the-last-instant': `${MAX}.5`,
  'an-exponent-past-the-last-instant': '2.534023008e11',
  'minus-zero': '-0',
  'minus-zero-with-a-fraction': '-0.0',
  'a-fraction-below-zero': '-0.5',
  'a-negative-instant': '-1700000290',
  'past-2-53': '9007199254740993',
  'past-2-64': '18446744073709551616',
  'forty-digits': '9'.repeat(40),
  'max-plus-1': String(MAX + 1),
  'text-of-digits': '"1700000290"',
  'an-iso-date': '"2030-01-01T00:00:00Z"',
  'in-an-array': '[1700000290]',
  milliseconds: '1700000290000',
};
for (const claim of ['exp', 'nbf', 'iat']) {
  for (const [name, text] of Object.entries(forms)) {
    add(
      `refuses-${claim}-as-${name}`,
      34,
      'A number of seconds from 0 to the end of the year 9999.',
      { token: raw(claim, text) },
      refuse('claim-malformed', { claim }),
    );
  }
  add(
    `refuses-${claim}-past-what-a-double-holds`,
    34,
    'No number at all to a JSON parser of doubles.',
    { token: raw(claim, '1e400') },
    refuse('json-malformed', { part: 'payload' }),
  );
  add(
    `refuses-${claim}-with-a-leading-zero`,
    34,
    'No JSON.',
    { token: raw(claim, '01700000290') },
    refuse('json-malformed', { part: 'payload' }),
  );
}

// RFC 7519 section 2: a NumericDate may have a fraction, and JSON an exponent. The clock is in
// whole seconds, so that the instant counts from the first of them that is not before it;
// expectations are computed with integers of tenths of a second.
const spellings = (tenths) => {
  const digits = String(tenths);
  const [whole, tenth] = [digits.slice(0, -1), digits.slice(-1)];
  return {
    'a-fraction': `${whole}.${tenth}`,
    'a-long-fraction': `${whole}.${tenth}${'0'.repeat(400)}`,
    'an-exponent': `${whole.at(0)}.${whole.slice(1)}${tenth}e${whole.length - 1}`,
    'a-capital-exponent': `${whole.at(0)}.${whole.slice(1)}${tenth}E+${whole.length - 1}`,
    'a-negative-exponent': `${digits}00e-3`,
  };
};
for (const [claim, code, field] of [
  ['exp', 'expired', 'expires'],
  ['nbf', 'not-yet-valid', 'notBefore'],
  ['iat', 'issued-in-future', 'issuedAt'],
]) {
  for (const tenths of [-11, -10, -9, -5, -1, 0, 1, 5, 10].map((offset) => 10 * NOW + offset)) {
    const second = Math.ceil(tenths / 10);
    const refused = claim === 'exp' ? 10 * NOW >= tenths : 10 * NOW < tenths;
    for (const [name, text] of Object.entries(spellings(tenths))) {
      const offset = tenths - 10 * NOW;
      if (name !== 'a-fraction' && Math.abs(offset) !== 5) continue;
      add(
        `${refused ? 'refuses' : 'accepts'}-${claim}-${offset}-tenths-as-${name}`,
        34,
        'Exact: no float is compared, nothing is rounded.',
        { policy: 'exact', token: raw(claim, text) },
        refused ? refuse(code, { now: NOW, [field]: second }) : accept(),
      );
    }
  }
}
for (const [id, text, at] of [
  ['accepts-exp-just-past-now', `${NOW}.${'0'.repeat(300)}1`, null],
  ['refuses-exp-just-before-now', `${NOW - 1}.${'9'.repeat(300)}`, NOW],
  ['accepts-exp-of-no-more-than-a-whole-number', '1.700000001E9', null],
  ['accepts-exp-at-the-end-of-time-with-a-fraction-of-zero', `${MAX}.0`, null],
  ['accepts-exp-in-the-last-second-of-time', `${MAX - 1}.5`, null],
  ['refuses-exp-of-next-to-nothing', '1e-9999', 1],
  ['refuses-exp-of-zero-times-much', '0e9999', 0],
]) {
  add(
    id,
    34,
    'A double would round it, or overflow.',
    { policy: 'exact', token: raw('exp', text) },
    at === null ? accept() : refuse('expired', { now: NOW, expires: at }),
  );
}
add(
  'accepts-what-php-writes',
  34,
  'Laravel Passport writes all three with microseconds.',
  {
    policy: 'exact',
    token: token({
      payload: JSON.stringify(claims({ iat: 1, nbf: 2, exp: 3 }))
        .replace('"iat":1', `"iat":${NOW}.000000`)
        .replace('"nbf":2', `"nbf":${NOW - 1}.999999`)
        .replace('"exp":3', `"exp":${NOW}.000001`),
    }),
  },
  accept(),
);
add(
  'refuses-nbf-that-underflowed-a-library',
  34,
  'jwt-compact panics on -8334601228800: unchecked subtraction.',
  { token: raw('nbf', '-8334601228800') },
  refuse('claim-malformed', { claim: 'nbf' }),
);
add('accepts-exp-at-the-end-of-time', 34, 'The last instant.', { token: of({ exp: MAX }) }, accept());
add('accepts-nbf-of-zero', 34, 'The first.', { token: of({ nbf: 0, iat: 0 }) }, accept());
add(
  'refuses-exp-of-zero',
  34,
  'It was over in 1970.',
  { token: of({ exp: 0 }) },
  refuse('expired', { expires: 0 }),
);
add(
  'refuses-nbf-at-the-end-of-time',
  34,
  'Not for a while.',
  { token: of({ nbf: MAX }) },
  refuse('not-yet-valid', { notBefore: MAX }),
);
add(
  'accepts-at-time-zero',
  34,
  'Subtracting leeway from the first instant does not wrap.',
  { token: of({ nbf: 5 }), now: 0 },
  accept(),
);
add(
  'refuses-at-the-end-of-time',
  34,
  'Adding leeway to the last does not either.',
  { policy: 'slack', token: of({ exp: MAX - 300 }), now: MAX },
  refuse('expired', { now: MAX }),
);
add(
  'accepts-just-before-the-end-of-time',
  34,
  'Adding leeway reaches past it and is still right.',
  { policy: 'slack', token: of({ exp: MAX }), now: MAX },
  accept(),
);
