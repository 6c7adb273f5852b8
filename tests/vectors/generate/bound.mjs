// Tokens that are bound to a key of their client's (cnf, RFC 7800), at a verifier that sees no
// request.
import { accept, claims, collection, refuse, token } from './signing.mjs';

const { add, file } = collection(
  'Own; RFC 9449 section 7.2: a resource server must reject a DPoP-bound access token that is received as a bearer token. RFC 8705 section 3: it must check the certificate.',
);

export { file };

const thumbprint = 'bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2';
const unsupported = refuse('binding-unsupported', { stage: 'binding' });
const malformed = refuse('claim-malformed', { claim: 'cnf', stage: 'claims' });

for (const [name, cnf, comment, strict, lax = strict] of [
  ['jkt', { jkt: thumbprint }, 'Bound to a DPoP key (RFC 9449 section 6.1).', unsupported, accept()],
  [
    'x5t',
    { 'x5t#S256': thumbprint },
    'Bound to a certificate (RFC 8705 section 3.1).',
    unsupported,
    accept(),
  ],
  ['both', { jkt: thumbprint, 'x5t#S256': thumbprint }, 'Bound to both.', unsupported, accept()],
  [
    'an-unknown-method',
    { kid: 'a' },
    'A method that nobody here knows (RFC 7800 section 3.4).',
    unsupported,
    accept(),
  ],
  ['a-key', { jwk: { kty: 'OKP' } }, 'The key itself (RFC 7800 section 3.2).', unsupported, accept()],
  ['no-method', {}, 'Bound to nothing that could be checked.', unsupported, accept()],
  ['a-number-inside', { jkt: 7 }, 'Whatever is in it.', unsupported, accept()],
  ['null', null, 'No object: who asks for its members would find no binding.', malformed],
  ['a-string', thumbprint, 'A thumbprint in the place of the object.', malformed],
  ['an-array', [{ jkt: thumbprint }], 'A list of them.', malformed],
  ['false', false, 'And nothing that is false.', malformed],
]) {
  const bound = token({ payload: claims({ cnf }) });
  add(
    `bearer-refuses-cnf-with-${name}`,
    32,
    comment,
    { kind: 'authorization', token: `Bearer ${bound}` },
    strict,
  );
  add(
    `bearer-with-a-checked-binding-and-cnf-with-${name}`,
    32,
    'The caller checks the binding; what it checks has to be an object.',
    { kind: 'authorization', token: `Bearer ${bound}`, binding: 'checked' },
    lax,
  );
  add(
    `verify-knows-no-scheme-and-cnf-with-${name}`,
    32,
    'A verdict about a token says what its issuer signed, not who sends it.',
    { token: bound },
    lax,
  );
}
add(
  'bearer-accepts-a-token-without-cnf-whatever-is-checked',
  32,
  'The near miss.',
  { kind: 'authorization', token: `Bearer ${token()}`, binding: 'checked' },
  accept(),
);
add(
  'bearer-accepts-cnf-where-it-binds-nothing',
  32,
  'A claim of another name, and one inside another claim.',
  { kind: 'authorization', token: `Bearer ${token({ payload: claims({ CNF: {}, act: { cnf: {} } }) })}` },
  accept(),
);
add(
  'bearer-refuses-an-escaped-cnf',
  30,
  'Another spelling of the same name.',
  {
    kind: 'authorization',
    token: `Bearer ${token({ payload: JSON.stringify(claims({ cnf: { jkt: thumbprint } })).replace('"cnf"', '"\\u0063nf"') })}`,
  },
  unsupported,
);
add(
  'bearer-says-expired-before-bound',
  35,
  'Binding comes after everything that is wrong with the token itself.',
  {
    kind: 'authorization',
    token: `Bearer ${token({ payload: claims({ cnf: { jkt: thumbprint }, exp: 1 }) })}`,
  },
  refuse('expired'),
);
