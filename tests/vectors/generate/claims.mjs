// Claims: present means well-formed; issuer, audience and kind are compared byte for byte.
import { AUDIENCE, accept, claims, collection, ISSUER, policy, refuse, token } from './signing.mjs';

const with_ = (more) => policy(['ES256'], more);
const { add, file } = collection('Own; classes as in the advisories named by each comment.', {
  jwt: with_({ types: ['JWT'] }),
  any: with_({ types: 'any' }),
  several: with_({ audience: ['https://a.example', AUDIENCE] }),
  required: with_({ requiredClaims: ['sub', 'tenant'] }),
  idToken: with_({ types: ['at+jwt', 'application/secevent+jwt'] }),
});

export { file };

const of = (payload, header) => token({ payload, header });

// Wrong types: every registered claim × every JSON type
const VALUES = {
  null: null,
  true: true,
  number: 5,
  negative: -1,
  fraction: 1.5,
  string: 'text',
  'empty-array': [],
  'array-of-numbers': [1],
  object: {},
};
const FITS = {
  iss: ['string'],
  sub: ['string'],
  jti: ['string'],
  client_id: ['string'],
  scope: ['string', 'empty-array'],
  aud: ['string'],
  exp: ['number', 'fraction'],
  nbf: ['number', 'fraction'],
  iat: ['number', 'fraction'],
};
for (const [claim, fitting] of Object.entries(FITS)) {
  for (const [name, value] of Object.entries(VALUES)) {
    if (fitting.includes(name)) continue;
    add(
      `refuses-${claim}-as-${name}`,
      32,
      'CVE-2026-25537: a claim of the wrong type is refused, never skipped.',
      { token: of(claims({ [claim]: value })) },
      refuse('claim-malformed', { claim, stage: 'claims' }),
    );
  }
}
add(
  'accepts-registered-claims-of-the-right-type',
  32,
  'All of them, well-formed.',
  { token: of(claims({ jti: 'a', client_id: 'b', scope: 'c d', nbf: 1 })) },
  accept({ claims: { scope: 'c d' } }),
);
add(
  'accepts-custom-claims-of-any-type',
  32,
  'Other claims may be anything.',
  { token: of(claims({ a: null, b: [1.5, {}], c: { d: false } })) },
  accept({ claims: { a: null } }),
);
for (const claim of ['iss', 'aud', 'exp']) {
  add(
    `refuses-no-${claim}`,
    35,
    'Issuer, audience and expiry are mandatory.',
    { token: of(claims({ [claim]: undefined })) },
    refuse('claim-missing', { claim }),
  );
}
add(
  'refuses-no-required-claim',
  35,
  'The policy can ask for more.',
  { policy: 'required', token: of(claims()) },
  refuse('claim-missing', { claim: 'tenant' }),
);
add(
  'accepts-a-required-claim',
  35,
  'Once it is there.',
  { policy: 'required', token: of(claims({ tenant: 't' })) },
  accept(),
);
add(
  'accepts-no-sub-where-none-is-required',
  35,
  'Only what the policy names is required.',
  { token: of(claims({ sub: undefined, iat: undefined })) },
  accept(),
);

// Audience
const auds = {
  another: 'https://other.example',
  prefix: AUDIENCE.slice(0, -1),
  longer: `${AUDIENCE}.attacker.example`,
  slash: `${AUDIENCE}/`,
  case: AUDIENCE.toUpperCase(),
  spaces: ` ${AUDIENCE}`,
  'array-of-others': ['x', 'y'],
  list: `${AUDIENCE} https://other.example`,
  wildcard: '*',
  'a-regular-expression': 'https://.*',
};
for (const [name, aud] of Object.entries(auds)) {
  add(
    `refuses-aud-${name}`,
    36,
    'CVE-2022-23482, CVE-2026-30223: byte equality with one whole audience.',
    { token: of(claims({ aud })) },
    refuse('audience-mismatch', { expected: [AUDIENCE], actual: [aud].flat() }),
  );
}
for (const [name, aud] of Object.entries({
  'an-empty-string': '',
  'an-empty-array': [],
  'an-empty-string-inside': [AUDIENCE, ''],
  'a-number-inside': [AUDIENCE, 1],
})) {
  add(
    `refuses-aud-with-${name}`,
    36,
    'CVE-2020-26160: an audience is one or more non-empty strings.',
    { token: of(claims({ aud })) },
    refuse('claim-malformed', { claim: 'aud' }),
  );
}
add(
  'accepts-aud-in-an-array',
  36,
  'One of several.',
  { token: of(claims({ aud: ['x', AUDIENCE] })) },
  accept(),
);
add(
  'accepts-aud-among-our-several',
  36,
  'One of ours.',
  { policy: 'several', token: of(claims()) },
  accept(),
);

// Issuer
for (const [name, iss] of Object.entries({
  another: 'https://other.example',
  prefix: ISSUER.slice(0, -1),
  slash: `${ISSUER}/`,
  case: ISSUER.toUpperCase(),
  subdomain: 'https://issuer.example.attacker.example',
  path: `${ISSUER}/tenant`,
  userinfo: 'https://issuer.example@attacker.example',
  empty: '',
})) {
  add(
    `refuses-iss-${name}`,
    37,
    'CVE-2024-53861, CVE-2024-5037: the exact string.',
    { token: of(claims({ iss })) },
    refuse('issuer-mismatch', { expected: [ISSUER], actual: iss }),
  );
}
add(
  'refuses-iss-in-an-array',
  37,
  'CVE-2025-30144: an array that holds the issuer is not the issuer.',
  { token: of(claims({ iss: [ISSUER] })) },
  refuse('claim-malformed', { claim: 'iss' }),
);
add('accepts-iss-exactly', 37, 'The exact string.', { token: of(claims()) }, accept());
add(
  'accepts-iss-by-escapes',
  37,
  'Escapes in JSON are spelling: the string is the same.',
  { token: token({ payload: JSON.stringify(claims()).replace('https', '\\u0068ttps') }) },
  accept(),
);
add(
  'cuts-a-long-issuer',
  47,
  'A rejection does not grow with its token.',
  { token: of(claims({ iss: 'x'.repeat(3000) })) },
  refuse('issuer-mismatch', { actual: 'x'.repeat(200) }),
);

// Kind
const kinds = {
  none: undefined,
  JWT: 'JWT',
  'id-token': 'id_token+jwt',
  logout: 'logout+jwt',
  refresh: 'rt+jwt',
  dpop: 'dpop+jwt',
  case: 'AT+JWT',
  prefix: 'at+jw',
  space: 'at+jwt ',
  media: 'text/at+jwt',
  twice: 'application/application/at+jwt',
  empty: '',
};
for (const [name, typ] of Object.entries(kinds)) {
  add(
    `refuses-typ-${name}`,
    38,
    'CVE-2026-41164: another kind of token of the same issuer (RFC 9068 section 4).',
    { token: of(claims(), { typ }) },
    refuse('type-mismatch', { expected: ['at+jwt'], actual: typ ?? null }),
  );
}
add('accepts-typ-at-jwt', 38, 'The default.', { token: of(claims()) }, accept());
add(
  'accepts-typ-application-at-jwt',
  38,
  'With the media type spelled out (RFC 7515 section 4.1.9).',
  { token: of(claims(), { typ: 'application/at+jwt' }) },
  accept(),
);
add(
  'accepts-typ-by-policy',
  38,
  'What most providers send is one field away.',
  { policy: 'jwt', token: of(claims(), { typ: 'JWT' }) },
  accept(),
);
add(
  'refuses-at-jwt-where-the-policy-says-jwt',
  38,
  'Exact in that direction too.',
  { policy: 'jwt', token: of(claims()) },
  refuse('type-mismatch', { expected: ['JWT'], actual: 'at+jwt' }),
);
add(
  'accepts-no-typ-by-any',
  38,
  'Any, spelled out, takes none as well.',
  { policy: 'any', token: of(claims(), { typ: undefined }) },
  accept(),
);
add(
  'accepts-a-short-typ-of-a-long-policy',
  38,
  'The prefix may be left out on either side.',
  { policy: 'idToken', token: of(claims(), { typ: 'secevent+jwt' }) },
  accept(),
);
