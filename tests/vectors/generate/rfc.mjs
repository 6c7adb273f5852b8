// The examples of the RFCs. Each signature is checked with Node's cryptography before it is
// written, so that no byte of it is misremembered.
import crypto from 'node:crypto';
import { accept, collection, misuse, refuse } from './signing.mjs';

const { add, file } = collection(
  'RFC 7515 appendix A, RFC 7520 section 4, RFC 8037 appendix A, RFC 7797 section 4.2, RFC 7517 appendix A.1.',
);

export { file };

const CLAIMS =
  'eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ';
const HOBBIT =
  'SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4';
const text = (part) => Buffer.from(part, 'base64url').toString();

const A1 = {
  kty: 'oct',
  alg: 'HS256',
  k: 'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow',
};
const A2 = {
  kty: 'RSA',
  alg: 'RS256',
  e: 'AQAB',
  n: 'ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ',
};
const A3 = {
  kty: 'EC',
  crv: 'P-256',
  x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
  y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
};
const A4 = {
  kty: 'EC',
  crv: 'P-521',
  x: 'AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk',
  y: 'ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2',
};
const hobbitEc = {
  kty: 'EC',
  kid: 'bilbo.baggins@hobbiton.example',
  use: 'sig',
  crv: 'P-521',
  x: 'AHKZLLOsCOzz5cY97ewNUajB957y-C-U88c3v13nmGZx6sYl_oJXu9A5RkTKqjqvjyekWF-7ytDyRXYgCF5cj0Kt',
  y: 'AdymlHvOiLxXkEhayXQnNCvDX4h9htZaCJN34kfmC6pV5OhQHiraVySsUdaQkAgDPrwQrJmbnX9cwlGfP-HqHZR1',
};
const hobbit = (alg) => ({
  kty: 'RSA',
  kid: 'bilbo.baggins@hobbiton.example',
  use: 'sig',
  alg,
  e: 'AQAB',
  n: 'n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw',
});
const symmetric = {
  kty: 'oct',
  kid: '018c0ae5-4d9b-471b-bfd6-eef314bc7037',
  use: 'sig',
  alg: 'HS256',
  k: 'hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg',
};
const ed25519 = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' };

const examples = [
  [
    'rfc7515-a1-hs256',
    A1,
    `eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.${CLAIMS}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk`,
  ],
  [
    'rfc7515-a2-rs256',
    A2,
    `eyJhbGciOiJSUzI1NiJ9.${CLAIMS}.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw`,
  ],
  [
    'rfc7515-a3-es256',
    A3,
    `eyJhbGciOiJFUzI1NiJ9.${CLAIMS}.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q`,
  ],
  [
    'rfc7515-a4-es512',
    A4,
    'eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn',
  ],
  [
    'rfc7520-4-1-rs256',
    hobbit('RS256'),
    `eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9.${HOBBIT}.MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQx996ivp83xuglII7PNDi84wnB-BDkoBwA78185hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh_qHRD68BNt1uSNCrUCTJDt5aAE6x8wW1Kt9eRo4QPocSadnHXFxnt8Is9UzpERV0ePPQdLuW3IS_de3xyIrDaLGdjluPxUAhb6L2aXic1U12podGU0KLUQSE_oI-ZnmKJ3F4uOZDnd6QZWJushZ41Axf_fcIe8u9ipH84ogoree7vjbU5y18kDquDg`,
  ],
  [
    'rfc7520-4-2-ps384',
    hobbit('PS384'),
    `eyJhbGciOiJQUzM4NCIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9.${HOBBIT}.cu22eBqkYDKgIlTpzDXGvaFfz6WGoz7fUDcfT0kkOy42miAh2qyBzk1xEsnk2IpN6-tPid6VrklHkqsGqDqHCdP6O8TTB5dDDItllVo6_1OLPpcbUrhiUSMxbbXUvdvWXzg-UD8biiReQFlfz28zGWVsdiNAUf8ZnyPEgVFn442ZdNqiVJRmBqrYRXe8P_ijQ7p8Vdz0TTrxUeT3lm8d9shnr2lfJT8ImUjvAA2Xez2Mlp8cBE5awDzT0qI0n6uiP1aCN_2_jLAeQTlqRHtfa64QQSUmFAAjVKPbByi7xho0uTOcbH510a6GYmJUAfmWjwZ6oD4ifKo8DYM-X72Eaw`,
  ],
  [
    'rfc7520-4-3-es512',
    hobbitEc,
    `eyJhbGciOiJFUzUxMiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9.${HOBBIT}.AE_R_YZCChjn4791jSQCrdPZCNYqHXCTZH0-JZGYNlaAjP2kqaluUIIUnC9qvbu9Plon7KRTzoNEuT4Va2cmL1eJAQy3mtPBu_u_sDDyYjnAMDxXPn7XrT0lw-kvAD890jl8e2puQens_IEKBpHABlsbEPX6sFY8OcGDqoRuBomu9xQ2`,
  ],
  [
    'rfc7520-4-4-hs256',
    symmetric,
    `eyJhbGciOiJIUzI1NiIsImtpZCI6IjAxOGMwYWU1LTRkOWItNDcxYi1iZmQ2LWVlZjMxNGJjNzAzNyJ9.${HOBBIT}.s0h6KThzkfBBBkLspW1h84VsJZFTsPPqMDA7g1Md7p0`,
  ],
  [
    'rfc8037-a4-eddsa',
    ed25519,
    'eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg',
  ],
];

/** Does the example hold to OpenSSL? */
function holds(jwk, jws) {
  const [header, payload, signature] = jws.split('.');
  const { alg } = JSON.parse(text(header));
  const [input, bytes] = [Buffer.from(`${header}.${payload}`), Buffer.from(signature, 'base64url')];
  const hash = alg === 'EdDSA' ? null : `sha${alg.slice(2)}`;
  if (alg.startsWith('HS'))
    return crypto.createHmac(hash, Buffer.from(jwk.k, 'base64url')).update(input).digest().equals(bytes);
  const options = alg.startsWith('PS')
    ? { padding: crypto.constants.RSA_PKCS1_PSS_PADDING, saltLength: crypto.constants.RSA_PSS_SALTLEN_DIGEST }
    : {};
  return crypto.verify(
    hash,
    input,
    { key: crypto.createPublicKey({ key: jwk, format: 'jwk' }), dsaEncoding: 'ieee-p1363', ...options },
    bytes,
  );
}

for (const [id, jwk, jws] of examples) {
  if (!holds(jwk, jws)) throw new Error(`${id} is not what the RFC prints`);
  add(
    id,
    18,
    'The example of the RFC holds.',
    { kind: 'jws', jwk, token: jws },
    accept({ payloadUtf8: text(jws.split('.')[1]) }),
  );
  const spoiled = jws.replace(/.(.)$/, (end) => (end[0] === 'A' ? 'B' : 'A') + end[1]);
  add(
    `${id}-spoiled`,
    18,
    'With one character of its signature changed it does not.',
    { kind: 'jws', jwk, token: spoiled },
    refuse('signature-invalid'),
  );
}
add(
  'rfc7515-a5-none',
  1,
  'The unsecured example has no place here.',
  { kind: 'jws', jwk: A3, token: `eyJhbGciOiJub25lIn0.${CLAIMS}.` },
  refuse('alg-unknown'),
);
// The JSON serializations, whole; their signatures are those of A.2 and A.3
const [a2, a3] = [examples[1][2], examples[2][2]].map((jws) => jws.split('.'));
const serializations = {
  'rfc7515-a6-general-json': {
    payload: CLAIMS,
    signatures: [
      { protected: a2[0], header: { kid: '2010-12-29' }, signature: a2[2] },
      { protected: a3[0], header: { kid: 'e9bc097a-ce51-4036-9562-d2ade882db0d' }, signature: a3[2] },
    ],
  },
  'rfc7515-a7-flattened-json': {
    payload: CLAIMS,
    protected: a3[0],
    header: { kid: 'e9bc097a-ce51-4036-9562-d2ade882db0d' },
    signature: a3[2],
  },
  'rfc7520-4-6-protecting-specific-fields': {
    payload: HOBBIT,
    protected: 'eyJhbGciOiJIUzI1NiJ9',
    header: { kid: symmetric.kid },
    signature: 'bWUSVaxorn7bEF1djytBd0kHv70Ly5pvbomzMWSOr20',
  },
  'rfc7520-4-7-protecting-content-only': {
    payload: HOBBIT,
    header: { alg: 'HS256', kid: symmetric.kid },
    signature: 'xuLifqLGiblpv9zBpuZczWhNj1gARaLV3UxvxhJxZuk',
  },
};
const mac = (jwk, input) =>
  crypto.createHmac('sha256', Buffer.from(jwk.k, 'base64url')).update(input).digest('base64url');
for (const id of ['rfc7520-4-6-protecting-specific-fields', 'rfc7520-4-7-protecting-content-only']) {
  const { payload, protected: head = '', signature } = serializations[id];
  if (mac(symmetric, `${head}.${payload}`) !== signature) throw new Error(`${id} is not what the RFC prints`);
}
for (const [id, value] of Object.entries(serializations)) {
  add(
    id,
    29,
    'The JSON serialization has no place here, whatever its signatures.',
    { kind: 'jws', jwk: id.startsWith('rfc7515') ? A3 : symmetric, token: JSON.stringify(value) },
    refuse('segment-count', { expected: 3, actual: 1 }),
  );
}
// Detached content: RFC 7520 section 4.5 leaves the payload out, RFC 7797 section 4.2 takes it
// unencoded
const hs256 = examples.find(([id]) => id === 'rfc7520-4-4-hs256')[2].split('.');
add(
  'rfc7520-4-5-detached',
  29,
  'Detached content is read as an empty payload, over which the signature does not hold.',
  { kind: 'jws', jwk: symmetric, token: `${hs256[0]}..${hs256[2]}` },
  refuse('signature-invalid'),
);
const unencoded = 'eyJhbGciOiJIUzI1NiIsImI2NCI6ZmFsc2UsImNyaXQiOlsiYjY0Il19';
if (mac(A1, `${unencoded}.$.02`) !== 'A5dxf2s96_n5FLueVuW1Z_vh161FwXZC4YLPff6dmDY')
  throw new Error('the example of RFC 7797 is not what the RFC prints');
add(
  'rfc7797-4-2-unencoded-payload',
  9,
  'b64 is critical there, and no crit is understood.',
  { kind: 'jws', jwk: A1, token: `${unencoded}..A5dxf2s96_n5FLueVuW1Z_vh161FwXZC4YLPff6dmDY` },
  refuse('crit-unsupported'),
);
// The private keys that the RFCs print beside their examples
const privates = [
  ['rfc7515-a3-private-key', { ...A3, d: 'jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI' }, a3.join('.')],
  [
    'rfc8037-a1-private-key',
    { ...ed25519, d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A' },
    examples.at(-1)[2],
  ],
];
for (const [id, jwk, jws] of privates) {
  const { x } = crypto
    .createPublicKey(crypto.createPrivateKey({ key: jwk, format: 'jwk' }))
    .export({ format: 'jwk' });
  if (x !== jwk.x) throw new Error(`${id} is not what the RFC prints`);
  add(
    id,
    5,
    'A private key is refused where a public one is due.',
    { kind: 'jws', jwk, token: jws },
    misuse('/d'),
  );
}
add(
  'rfc7515-a3-under-another-algorithm',
  8,
  'The header of A.1 under the key of A.3.',
  { kind: 'jws', jwk: A3, token: examples[0][2] },
  refuse('alg-mismatch', { expected: ['ES256'], actual: 'HS256' }),
);
const joe = (jwk) => ({
  issuers: [{ issuer: 'joe', audience: 'anyone', types: 'any', jwks: { keys: [jwk] } }],
});
for (const [id, jwk, jws] of examples.slice(0, 3)) {
  const name = id.replace(/-[^-]*$/, '');
  add(
    `${name}-as-an-access-token`,
    36,
    'As a JWT the example has no audience, which is mandatory here.',
    { policy: joe(jwk), token: jws, now: 1300819370 },
    refuse('claim-missing', { claim: 'aud', stage: 'claims' }),
  );
}
// RFC 7517 appendix A.1: one key for encryption, which a set leaves out, and one for signatures
const set = {
  keys: [
    {
      kty: 'EC',
      crv: 'P-256',
      x: 'MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4',
      y: '4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM',
      use: 'enc',
      kid: '1',
    },
    {
      kty: 'RSA',
      n: '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw',
      e: 'AQAB',
      alg: 'RS256',
      kid: '2011-04-29',
    },
  ],
};
// RFC 7638 section 3.1 prints the thumbprint of that RSA key; the EC key has to be a point.
const [{ x, y }, { n, e }] = set.keys;
const thumbprint = crypto
  .createHash('sha256')
  .update(JSON.stringify({ e, kty: 'RSA', n }))
  .digest('base64url');
if (thumbprint !== 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs')
  throw new Error('the RSA key of RFC 7517 is misremembered');
crypto.createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' });
const trusting = (jwks) => ({ issuers: [{ issuer: 'joe', audience: 'anyone', jwks }] });
add(
  'rfc7517-a1-key-set',
  8,
  'Of two keys one is for encryption and left out.',
  { kind: 'policy', policy: trusting(set) },
  accept(),
);
add(
  'rfc7517-a1-key-set-without-its-second',
  3,
  'Then none is left.',
  { kind: 'policy', policy: trusting({ keys: set.keys.slice(0, 1) }) },
  misuse('/issuers/0/jwks'),
);
