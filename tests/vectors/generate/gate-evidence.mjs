// What counts of what was found out elsewhere: under which policy it was asked, how old it may be,
// and what lists of revocations say of it.
import { request, requests, thumbprint } from './gate-parts.mjs';
import { list, nameOf } from './revocation-list.mjs';
import { AUDIENCE, accept, claims, ISSUER, NOW, policy, publicJwk, refuse, token } from './signing.mjs';
import { statusList } from './status-lists.mjs';

const hashKey = Buffer.alloc(16, 9);
const name = (claim, value) => nameOf(hashKey, claim, ISSUER, value);
const introspection = {
  endpoint: 'https://issuer.example/introspect',
  clientId: 'api',
  authentication: 'client_secret_basic',
};
const asked = (whenStale) => ({
  issuers: [{ issuer: ISSUER, audience: AUDIENCE, introspection }],
  revocation: {
    jwks: { keys: [publicJwk('ed25519', { kid: 'list', alg: 'EdDSA' })] },
    maxStalenessSeconds: 60,
    whenStale,
  },
});
const verified = { ...policy(['ES256'], { introspection }), revocation: asked('introspect').revocation };
const uri = `${ISSUER}/statuslists/1`;
const { add, file } = requests('Own; RFC 7662 section 2.2.', {
  default: asked('deny'),
  allow: asked('allow'),
  introspect: asked('introspect'),
  verified,
  status: {
    ...asked('deny'),
    revocation: {
      maxStalenessSeconds: 60,
      statusLists: [{ uri, jwks: { keys: [publicJwk('ed25519', { kid: 'status', alg: 'EdDSA' })] } }],
    },
  },
});

export { file };

const times = { iat: NOW - 5, not_after: NOW + 3600 };
const snapshot = (more = {}) => [{ document: list({ hashKey, ...times, ...more }), now: NOW }];
const empty = snapshot();
const sent = request({ token: 'opaque-token-1' });
const answer = (more = {}, evidence = {}) => ({
  introspection: JSON.stringify({ active: true, aud: AUDIENCE, exp: NOW + 600, sub: 's', ...more }),
  ...evidence,
});
const vouched = (more = {}) => accept({ fields: { step: 'allowed', source: 'introspection', ...more } });
const before = NOW - 100;

add(
  'gate-introspected-token-that-no-list-names',
  53,
  'The near miss of all that follows.',
  { request: sent, evidence: answer({ jti: 'one', sid: 'one', iat: before }), revocations: empty },
  vouched(),
);
for (const claim of ['jti', 'sid']) {
  add(
    `gate-introspected-token-with-a-revoked-${claim}`,
    53,
    'Lists are asked about every token, whoever vouches for it.',
    {
      request: sent,
      evidence: answer({ [claim]: 'one' }),
      revocations: snapshot({ version: 1, tokens: [name(claim, 'one')] }),
    },
    refuse('token-revoked', { claim }),
  );
}
for (const [claim, value, more] of [
  ['sub', 's', { iat: before }],
  ['client_id', 'c', { client_id: 'c', iat: before }],
  ['sid', 'one', { sid: 'one', iat: before }],
  ['iss', '', { iat: before }],
]) {
  const revocations = snapshot({ version: 1, cutoffs: [[name(claim, value), NOW - 50]] });
  add(
    `gate-introspected-token-from-before-a-cutoff-of-${claim}`,
    53,
    'The answer says when the token was issued.',
    { request: sent, evidence: answer(more), revocations },
    refuse('issued-before-cutoff', { claim, cutoff: NOW - 50, issuedAt: before }),
  );
  const { iat: _, ...without } = more;
  add(
    `gate-introspected-token-without-iat-under-a-cutoff-of-${claim}`,
    53,
    'RFC 7662 has iat optional. Nothing then shows that the token was issued afterwards.',
    { request: sent, evidence: answer(without), revocations },
    refuse('issued-before-cutoff', { claim, cutoff: NOW - 50, issuedAt: null }),
  );
  add(
    `gate-introspected-token-from-after-a-cutoff-of-${claim}`,
    53,
    'The near miss.',
    { request: sent, evidence: answer({ ...more, iat: NOW - 50 }), revocations },
    vouched(),
  );
}

const jwt = token({ payload: claims({ jti: 'one', sid: 'one' }) });
const ofJwt = (revocations, expect, id, comment) =>
  add(id, 53, comment, { request: request({ token: jwt }), evidence: answer(), revocations }, expect);
ofJwt(empty, vouched(), 'gate-introspected-jwt-that-no-list-names', 'The near miss.');
ofJwt(
  snapshot({ version: 1, tokens: [name('jti', 'one')] }),
  refuse('token-revoked', { claim: 'jti' }),
  'gate-introspected-jwt-whose-own-jti-is-revoked',
  'The answer does not name it, and the token does. Nobody has checked who wrote it: it can only be refused by it.',
);
ofJwt(
  snapshot({ version: 1, tokens: [name('sid', 'one')] }),
  refuse('token-revoked', { claim: 'sid' }),
  'gate-introspected-jwt-whose-own-sid-is-revoked',
  'The same by the session.',
);

// What the JWT says of itself counts beside the answer, and only against it
const statuses = [{ uri, document: statusList({ bytes: [0b10] }), now: NOW }];
const place = (idx, of = uri) => ({ status: { status_list: { idx, uri: of } } });
const jwtOf = (own) => token({ payload: claims(own) });
const revoked = refuse('status-not-valid', { index: 1, statusValue: 1 });
for (const [id, own, said, expect, comment] of [
  ['whose-own-status-is-valid', place(0), {}, vouched(), 'The near miss.'],
  ['whose-own-status-is-revoked', place(1), {}, revoked, 'The answer leaves it out.'],
  ['whose-answer-names-another-status', place(1), place(0), revoked, 'Both are looked up.'],
  ['whose-answer-names-a-revoked-status', place(0), place(1), revoked, 'Both are looked up.'],
  [
    'whose-own-status-is-in-another-list',
    place(0, `${uri}0`),
    {},
    refuse('revocation-stale', { status: 503 }),
    'A list that is not held cannot tell.',
  ],
  [
    'whose-own-status-is-malformed',
    { status: 1 },
    {},
    refuse('claim-malformed', { claim: 'status' }),
    'As in a token that is verified here.',
  ],
]) {
  add(
    `gate-introspected-jwt-${id}`,
    53,
    comment,
    {
      policy: 'status',
      request: request({ token: jwtOf(own) }),
      evidence: answer(said),
      revocations: statuses,
    },
    expect,
  );
}
add(
  'gate-introspected-jwt-with-a-dot-at-its-end-whose-own-status-is-revoked',
  53,
  'It is no JWT here, and a server may take it for one: Java drops what is empty at the end of a split text.',
  {
    policy: 'status',
    request: request({ token: `${jwtOf(place(1))}.` }),
    evidence: answer(),
    revocations: statuses,
  },
  revoked,
);
const key = (of) => ({ cnf: { jkt: thumbprint(of) } });
const certificate = (letter) => ({ cnf: { 'x5t#S256': letter.repeat(43) } });
for (const [id, own, said, expect, comment] of [
  ['names-a-key', key('es256'), {}, refuse('dpop-scheme-required'), 'It would pass for a bearer token.'],
  ['names-a-certificate', certificate('A'), {}, refuse('certificate-missing'), 'RFC 8705 section 3.'],
  [
    'names-a-certificate-beside-the-key-of-the-answer',
    certificate('A'),
    key('es256'),
    refuse('certificate-missing'),
    'Each has to be proven.',
  ],
  [
    'names-another-key-than-the-answer',
    key('es256'),
    key('es256Other'),
    refuse('dpop-key-mismatch'),
    'One proof cannot be by two keys.',
  ],
  [
    'names-another-certificate-than-the-answer',
    certificate('A'),
    certificate('B'),
    refuse('certificate-mismatch'),
    'One connection has one certificate.',
  ],
  [
    'names-the-key-of-the-answer',
    key('es256'),
    key('es256'),
    refuse('dpop-scheme-required'),
    'The near miss.',
  ],
  [
    'is-of-another-method',
    { cnf: { kid: 'a' } },
    {},
    refuse('binding-unsupported'),
    'RFC 7800 section 3.1: nothing of it can be checked here.',
  ],
]) {
  add(
    `gate-introspected-jwt-whose-own-confirmation-${id}`,
    55,
    comment,
    { request: request({ token: jwtOf(own) }), evidence: answer(said), revocations: empty },
    expect,
  );
}
add(
  'gate-introspected-jwt-whose-own-confirmation-does-not-stand-for-that-of-the-answer',
  55,
  'Nobody has checked who wrote it: no requirement is met by it.',
  {
    request: request({ token: jwtOf(key('es256')) }),
    requirement: { binding: 'dpop' },
    evidence: answer(),
    revocations: empty,
  },
  refuse('binding-required', { expected: 'dpop' }),
);

// How old an answer may be
const introspects = { step: 'introspect', issuer: ISSUER };
add(
  'gate-introspected-token-while-lists-are-stale',
  53,
  'deny: no list can tell, and an authorization server is no list.',
  { request: sent, evidence: answer() },
  refuse('revocation-stale', { status: 503, retryAfter: 5 }),
);
add(
  'gate-introspected-token-while-lists-are-stale-and-that-is-allowed',
  53,
  'And the decision says so.',
  { request: sent, evidence: answer(), policy: 'allow' },
  vouched({ stale: true, cacheable: false }),
);
for (const [what, sentNow, by] of [
  ['opaque-token', sent, 'introspect'],
  ['jwt', request({ token: jwt }), 'verified'],
]) {
  add(
    `gate-question-about-a-stale-${what}-asks-anew`,
    53,
    'An answer that was kept would be from before the token was revoked.',
    { kind: 'gate-step', request: sentNow, policy: by },
    { fields: { ...introspects, fresh: true } },
  );
  add(
    `gate-kept-answer-about-a-stale-${what}-does-not-count`,
    53,
    'Nor one that another request has asked for.',
    { kind: 'gate-step', request: sentNow, policy: by, evidence: answer({}, { introspectionKept: true }) },
    { fields: { ...introspects, fresh: true } },
  );
  add(
    `gate-fresh-answer-about-a-stale-${what}-counts`,
    53,
    'The issuer was asked for this request.',
    { request: sentNow, policy: by, evidence: answer({}, { introspectionKept: false }) },
    accept({ fields: { step: 'allowed', stale: true, cacheable: false } }),
  );
  add(
    `gate-answer-about-a-stale-${what}-that-cannot-be-had`,
    53,
    'To be tried again.',
    {
      request: sentNow,
      policy: by,
      evidence: { introspectionFailed: 'unavailable', introspectionKept: true },
    },
    refuse('introspection-unavailable', { status: 503 }),
  );
}
add(
  'gate-kept-answer-while-lists-are-fresh-counts',
  53,
  'A list can tell.',
  {
    request: sent,
    policy: 'introspect',
    evidence: answer({}, { introspectionKept: true }),
    revocations: empty,
  },
  vouched(),
);

// Under which policy it was asked
const elsewhere = { policy: 'the name of another policy' };
add(
  'gate-answer-under-another-policy-does-not-count',
  13,
  'What one issuer says must not vouch for a token of another.',
  { kind: 'gate-step', request: sent, evidence: answer({}, elsewhere), revocations: empty },
  { fields: introspects },
);
add(
  'gate-refusal-under-another-policy-does-not-count-either',
  13,
  'It was about another server.',
  {
    kind: 'gate-step',
    request: sent,
    evidence: { introspectionFailed: 'unavailable', ...elsewhere },
    revocations: empty,
  },
  { fields: introspects },
);
