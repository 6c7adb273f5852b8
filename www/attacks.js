// The classic attacks on bearer tokens, each forged for real: with throw-away keys, against a verifier that trusts their public halves. A class
// is a row of the list of known failures the project keeps; an advisory is one library in which it was found.
import { bytesOf, decode, encode, encodeJson, encodeText, textOf } from './base64url.js';
import { createVerifier } from './core.js';
import { derSignature } from './der.js';
import { generate, pemOf, sign, signTexts } from './sign.js';
import { nowSeconds } from './times.js';

const ISSUER = 'https://issuer.example';
const PARTNER = 'https://partner.example';
const LEGACY = 'https://legacy.example';
const SHARED = 'https://shared.example';
const API = 'https://api.example';

/** The keys, the verifier that trusts them, and the attacker’s own key. Made once, when the gallery is opened. */
export async function makeTargets() {
  const [es, partner, rs, hs, own] = await Promise.all(
    ['ES256', 'ES256', 'RS256', 'HS256', 'ES256'].map(generate),
  );
  const issuer = (name, key) => ({
    issuer: name,
    audience: API,
    jwks: { keys: [{ ...key.jwk, kid: key.kid ?? 'shared' }] },
  });
  const policy = {
    issuers: [
      issuer(ISSUER, es),
      issuer(PARTNER, partner),
      issuer(LEGACY, rs),
      issuer(SHARED, { ...hs, kid: 'shared' }),
    ],
  };
  return {
    es,
    rs,
    hs: { ...hs, kid: 'shared' },
    own,
    policy,
    verifier: createVerifier(policy, { cache: 0 }),
  };
}

/** What the gate says of it: a token, or the value of an Authorization header. */
export async function attempt(attack, targets) {
  const forged = await attack.forge(targets);
  const isHeader = typeof forged !== 'string';
  const verdict = isHeader
    ? targets.verifier.verifyAuthorization(forged.authorization)
    : targets.verifier.verify(forged);
  return { verdict, token: isHeader ? forged.authorization : forged };
}

const genuine = (changes = {}) => {
  const now = nowSeconds();
  return {
    iss: ISSUER,
    aud: API,
    sub: 'mallory',
    client_id: 'shop',
    scope: 'notes:read',
    iat: now,
    exp: now + 300,
    ...changes,
  };
};
/** Correctly signed by the trusted key, with other claims or another header. */
const signed =
  (changes, header) =>
  ({ es }) =>
    sign(genuine(changes), es, header);
const changed =
  (work) =>
  async ({ es }) =>
    work(...(await sign(genuine(), es)).split('.'));
const withHeader = (changes) =>
  changed(
    (header, payload, signature) =>
      `${encodeJson({ ...JSON.parse(textOf(decode(header))), ...changes })}.${payload}.${signature}`,
  );
const attack = (id, label, note, kind, advisory, code, forge) => ({
  id,
  label,
  note,
  kind,
  advisory,
  code,
  forge,
});

const flip = (segment, at) => {
  const bytes = decode(segment);
  bytes[at] ^= 1;
  return encode(bytes);
};

async function confused({ rs }, secret) {
  const raw = { name: 'HMAC', hash: 'SHA-256' };
  const privateKey = await crypto.subtle.importKey('raw', secret, raw, false, ['sign']);
  return sign(genuine({ iss: LEGACY }), { alg: 'HS256', kid: rs.kid, privateKey });
}

export const ATTACKS = [
  attack(
    'genuine',
    'The genuine token',
    'Nothing is wrong with it: the verifier is alive.',
    '',
    '',
    'accepted',
    signed(),
  ),
  attack(
    'none',
    'Unsigned',
    'The header says that there is no signature, and there is none.',
    '1 · alg none',
    'CVE-2015-2951',
    'alg-unknown',
    changed((h, p) => `${encodeJson({ alg: 'none', typ: 'at+jwt' })}.${p}.`),
  ),
  attack(
    'none-case',
    'Unsigned, “nOnE”',
    'For libraries that compare the word exactly.',
    '1 · alg none',
    'CVE-2022-23540',
    'alg-unknown',
    changed((h, p) => `${encodeJson({ alg: 'nOnE', typ: 'at+jwt' })}.${p}.`),
  ),
  attack(
    'stripped',
    'Signature taken off',
    'The header still says ES256; the last segment is empty.',
    '2 · null signature',
    'CVE-2020-28042',
    'signature-length',
    changed((h, p) => `${h}.${p}.`),
  ),
  attack(
    'rewritten',
    'A claim rewritten',
    'The scope becomes “admin”; the signature stays.',
    '35 · unchecked content',
    'CVE-2024-51744',
    'signature-invalid',
    changed((h, _, s) => `${h}.${encodeJson(genuine({ scope: 'admin' }))}.${s}`),
  ),
  attack(
    'flip-payload',
    'One bit of the claims',
    'The smallest possible change.',
    '35 · unchecked content',
    '',
    'signature-invalid',
    changed((h, p, s) => `${h}.${encodeText(textOf(decode(p)).replace('mallory', 'mallorx'))}.${s}`),
  ),
  attack(
    'flip-signature',
    'One bit of the signature',
    'The smallest possible change.',
    '2 · null signature',
    '',
    'signature-invalid',
    changed((h, p, s) => `${h}.${p}.${flip(s, 40)}`),
  ),
  attack(
    'confusion-pem',
    'RSA key as HMAC secret',
    'HS256, with the public RSA key in PEM as the secret: everybody has it.',
    '4 · RS→HS confusion',
    'CVE-2016-10555',
    'alg-mismatch',
    async (targets) => confused(targets, bytesOf(await pemOf(targets.rs.jwk))),
  ),
  attack(
    'confusion-jwk',
    'JWK text as HMAC secret',
    'The same, with the text of the public JWK.',
    '6 · JWK text as secret',
    'CVE-2026-48526',
    'alg-mismatch',
    (targets) => confused(targets, bytesOf(JSON.stringify(targets.rs.jwk))),
  ),
  attack(
    'swap',
    'Another algorithm’s name',
    'An ES256 signature under a header that says RS256.',
    '8 · kty × alg',
    'CVE-2022-23541',
    'alg-mismatch',
    withHeader({ alg: 'RS256' }),
  ),
  attack(
    'jwk',
    'A key that comes along',
    'Signed by the attacker, whose key is in the header.',
    '10 · key from the header',
    'CVE-2018-0114',
    'signature-invalid',
    ({ es, own }) => sign(genuine(), { ...own, kid: es.kid }, { jwk: own.jwk }),
  ),
  attack(
    'jku',
    'An address of keys',
    'The header says where the attacker’s keys are. Nothing is fetched.',
    '11 · SSRF by jku',
    'CVE-2026-32301',
    'signature-invalid',
    ({ es, own }) => sign(genuine(), { ...own, kid: es.kid }, { jku: 'https://evil.example/jwks' }),
  ),
  attack(
    'x5c',
    'A certificate that comes along',
    'The header has a certificate chain of the attacker’s.',
    '10 · key from the header',
    'CVE-2026-27962',
    'signature-invalid',
    ({ es, own }) => sign(genuine(), { ...own, kid: es.kid }, { x5c: ['MIIB'] }),
  ),
  attack(
    'kid-path',
    'kid as a path',
    'For verifiers that read the key from a file: an empty one.',
    '12 · kid injection',
    '',
    'kid-unknown',
    withHeader({ kid: '../../../../dev/null' }),
  ),
  attack(
    'kid-sql',
    'kid as SQL',
    'For verifiers that look the key up in a database.',
    '12 · kid injection',
    '',
    'kid-unknown',
    withHeader({ kid: "x' UNION SELECT 'secret'--" }),
  ),
  attack(
    'kid-object',
    'kid as an object',
    'For verifiers that do not look at its type.',
    '12 · kid injection',
    '',
    'header-member-malformed',
    signed({}, { kid: { $ne: null } }),
  ),
  attack(
    'crit',
    'A critical extension',
    'Correctly signed, with an extension that must be understood.',
    '9 · crit ignored',
    'CVE-2025-59420',
    'crit-unsupported',
    signed({}, { crit: ['cnf'], cnf: {} }),
  ),
  attack(
    'b64',
    'Another encoding',
    'b64 is false: the payload is not what it seems.',
    '9 · crit ignored',
    'CVE-2026-35042',
    'header-member-unsupported',
    signed({}, { b64: false }),
  ),
  attack(
    'twice',
    'A claim twice',
    'Correctly signed, with two “sub”: which one is it?',
    '31 · duplicate members',
    'CVE-2017-12635',
    'json-duplicate-member',
    ({ es }) =>
      signTexts(
        JSON.stringify({ alg: 'ES256', typ: 'at+jwt', kid: es.kid }),
        JSON.stringify(genuine()).replace('{', '{"sub":"admin",'),
        es,
      ),
  ),
  attack(
    'twice-header',
    'alg twice',
    'A header that names two algorithms.',
    '31 · duplicate members',
    'CVE-2017-12635',
    'json-duplicate-member',
    ({ es }) =>
      signTexts(
        `{"alg":"none","alg":"ES256","typ":"at+jwt","kid":"${es.kid}"}`,
        JSON.stringify(genuine()),
        es,
      ),
  ),
  attack(
    'psychic',
    'The psychic signature',
    'r and s are zero, which a careless equation takes for every token.',
    '14 · psychic signature',
    'CVE-2022-21449',
    'signature-invalid',
    changed((h, p) => `${h}.${p}.${encode(new Uint8Array(64))}`),
  ),
  attack(
    'der',
    'Signature in DER',
    'The right numbers in another encoding.',
    '15 · signature encoding',
    'CVE-2020-13822',
    'signature-length',
    changed((h, p, s) => `${h}.${p}.${encode(derSignature(decode(s)))}`),
  ),
  attack(
    'short-tag',
    'Half an HMAC',
    'The first 16 bytes are right.',
    '24 · truncated tag',
    'CVE-2018-1000539',
    'signature-length',
    async ({ hs }) => {
      const [h, p, s] = (await sign(genuine({ iss: SHARED }), hs)).split('.');
      return `${h}.${p}.${encode(decode(s).subarray(0, 16))}`;
    },
  ),
  attack(
    'loose-bits',
    'Loose last bits',
    'base64url with bits that no byte uses: one token, many texts.',
    '19 · malleability',
    '',
    'segment-not-base64url',
    changed((h, p, s) => `${h}.${p}.${s.slice(0, -1)}${loosened(s.at(-1))}`),
  ),
  attack(
    'expired',
    'Expired',
    'Genuine, and an hour too old.',
    '35 · expiry',
    'CVE-2020-26892',
    'expired',
    ({ es }) => sign(genuine({ iat: nowSeconds() - 7200, exp: nowSeconds() - 3600 }), es),
  ),
  attack(
    'no-exp',
    'Without an end',
    'Genuine, with no exp at all.',
    '35 · expiry',
    'CVE-2024-51744',
    'claim-missing',
    signed({ exp: undefined }),
  ),
  attack(
    'text-exp',
    'exp as a text',
    'For verifiers that skip what has the wrong type.',
    '32 · wrong type',
    'CVE-2026-25537',
    'claim-malformed',
    signed({ exp: '9999999999' }),
  ),
  attack(
    'huge-exp',
    'exp beyond counting',
    '1e300 seconds, for clocks that overflow.',
    '34 · overflow',
    '',
    'claim-malformed',
    signed({ exp: 1e300 }),
  ),
  attack('early', 'Not valid yet', 'nbf is tomorrow.', '35 · time', '', 'not-yet-valid', ({ es }) =>
    sign(genuine({ nbf: nowSeconds() + 86_400 }), es),
  ),
  attack(
    'future',
    'Issued tomorrow',
    'A revocation by time of issue would miss it.',
    '35 · time',
    '',
    'issued-in-future',
    ({ es }) => sign(genuine({ iat: nowSeconds() + 86_400, exp: nowSeconds() + 90_000 }), es),
  ),
  attack(
    'audience',
    'Another API’s token',
    'The audience begins like ours.',
    '36 · audience',
    'CVE-2026-30223',
    'audience-mismatch',
    signed({ aud: `${API}.evil.example` }),
  ),
  attack(
    'no-audience',
    'No audience',
    'Meant for nobody, so for everybody?',
    '36 · audience',
    'CVE-2020-26160',
    'claim-missing',
    signed({ aud: undefined }),
  ),
  attack(
    'issuer-list',
    'A list of issuers',
    'For verifiers that look whether ours is in it.',
    '37 · issuer',
    'CVE-2024-53861',
    'claim-malformed',
    signed({ iss: [ISSUER, 'https://evil.example'] }),
  ),
  attack(
    'cross-issuer',
    'In a partner’s name',
    'Signed by one trusted issuer, in the name of another.',
    '13 · keys of two issuers',
    'CVE-2026-49998',
    'issuer-mismatch',
    signed({ iss: PARTNER }),
  ),
  attack(
    'id-token',
    'An ID token',
    'It tells who signed in and gives no access.',
    '38 · kinds confused',
    'CVE-2026-41164',
    'type-mismatch',
    signed({ nonce: 'n' }, { typ: 'JWT' }),
  ),
  attack(
    'jwe',
    'Five segments',
    'Looks like an encrypted token.',
    '28 · JWS and JWE',
    'CVE-2023-51774',
    'segment-count',
    changed((h, p, s) => `${h}.${p}.${s}.e30.e30`),
  ),
  attack(
    'json',
    'The JSON serialization',
    'The same signature in another form, with room for a second payload.',
    '29 · JSON serialization',
    'CVE-2016-9122',
    'segment-count',
    changed((h, p, s) => JSON.stringify({ protected: h, payload: p, signature: s })),
  ),
  attack(
    'deep',
    'A thousand brackets',
    'Correctly signed; nested until a parser’s stack ends.',
    '45 · deep JSON',
    'CVE-2024-58264',
    'json-too-deep',
    ({ es }) =>
      signTexts(
        JSON.stringify({ alg: 'ES256', typ: 'at+jwt', kid: es.kid }),
        `{"a":${'['.repeat(1000)}${']'.repeat(1000)}}`,
        es,
      ),
  ),
  attack(
    'dots',
    'A million dots',
    'For parsers that split before they measure.',
    '44 · split allocation',
    'CVE-2025-30204',
    'token-too-large',
    async () => '.'.repeat(1_000_000),
  ),
  attack(
    'two',
    'Two tokens in one header',
    'A genuine one, and another behind a comma.',
    '46 · duplicate credentials',
    '',
    'authorization-ambiguous',
    async ({ es }) => ({
      authorization: `Bearer ${await sign(genuine(), es)}, Bearer ${await sign(genuine({ sub: 'admin' }), es)}`,
    }),
  ),
];

/** The next character: of a 64-byte signature the last one has four bits that mean nothing. */
function loosened(last) {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return alphabet[alphabet.indexOf(last) + 1];
}
