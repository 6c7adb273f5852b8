// One bit changed in a valid token, or its parts exchanged with those of another: whatever is
// changed, the signature no longer holds.
import { accept, claims, collection, encode, refuse, token } from './signing.mjs';

const { add, file } = collection(
  'Own; every bit of one token of each algorithm is tried in tests/rust/properties.rs, these few by name.',
);

export { file };

const ALL = ['HS256', 'HS512', 'ES256', 'ES384', 'ES512', 'ES256K', 'EdDSA', 'RS256', 'PS256'];
const flip = (text, place, bit) => {
  const bytes = Buffer.from(text, 'base64url');
  const index = Math.min(bytes.length - 1, Math.floor(place * bytes.length));
  bytes[index] ^= 1 << bit;
  return encode(bytes);
};

for (const alg of ALL) {
  const lower = alg.toLowerCase();
  const [head, body, last] = token({ alg }).split('.');
  add(
    `bits-${lower}-untouched`,
    35,
    'The token before any bit is changed.',
    { token: [head, body, last].join('.') },
    accept(),
  );
  for (const [name, place, bit] of [
    ['first', 0, 7],
    ['quarter', 0.25, 0],
    ['middle', 0.5, 3],
    ['last', 1, 0],
  ]) {
    add(
      `bits-${lower}-signature-${name}`,
      35,
      'One bit of the signature.',
      { token: `${head}.${body}.${flip(last, place, bit)}` },
      refuse('signature-invalid'),
    );
  }
  for (const [name, place] of [
    ['first', 0],
    ['middle', 0.5],
    ['last', 1],
  ]) {
    add(
      `bits-${lower}-payload-${name}`,
      35,
      'One bit of the payload; what it then says, and whether it is JSON at all, is never asked.',
      { token: `${head}.${flip(body, place, 0)}.${last}` },
      refuse('signature-invalid', { stage: 'signature' }),
    );
  }
  // The bit lies in typ's value, so that the header is still one.
  const place =
    (Buffer.from(head, 'base64url').indexOf('at+jwt') + 0.5) / Buffer.from(head, 'base64url').length;
  add(
    `bits-${lower}-header`,
    35,
    'One bit of the header, in a member whose value is not looked at before the signature.',
    { token: `${flip(head, place, 1)}.${body}.${last}` },
    refuse('signature-invalid'),
  );
  const twin = token({ alg, payload: claims({ sub: 'user-2' }) }).split('.');
  add(
    `parts-${lower}-signature-of-another`,
    35,
    'A valid signature of another token.',
    { token: `${head}.${body}.${twin[2]}` },
    refuse('signature-invalid'),
  );
  const plain = token({ alg, header: { typ: 'JWT' } }).split('.');
  add(
    `parts-${lower}-header-of-another`,
    35,
    'The header of another valid token.',
    { token: `${plain[0]}.${body}.${last}` },
    refuse('signature-invalid'),
  );
}
const [head, body, last] = token().split('.');
add(
  'parts-header-as-payload',
  35,
  'The parts in another order.',
  { token: `${head}.${head}.${last}` },
  refuse('signature-invalid'),
);
add(
  'parts-payload-as-header',
  35,
  'A payload is no header.',
  { token: `${body}.${head}.${last}` },
  refuse('alg-missing'),
);
add(
  'parts-empty-payload',
  35,
  'Nothing where the claims were.',
  { token: `${head}..${last}` },
  refuse('signature-invalid'),
);
add(
  'parts-empty-header',
  35,
  'Nothing where the header was: the empty text is no JSON.',
  { token: `.${body}.${last}` },
  refuse('json-malformed', { part: 'header', stage: 'jws' }),
);
add('parts-all-empty', 35, 'Two dots.', { token: '..' }, refuse('json-malformed', { part: 'header' }));
