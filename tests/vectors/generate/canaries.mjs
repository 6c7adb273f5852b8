// What a rejection says of a token (row 47): nothing before the signature held, and afterwards
// what was compared, cut at 200 characters.
import { AUDIENCE, accept, claims, collection, ISSUER, policy, refuse, token } from './signing.mjs';

const es256 = policy(['ES256']);
const { add, file } = collection('Own; the runners look for the canary in the whole rejection.');

export { file };

const canary = 'cAnArY-7f3a9b';
const leak = (id, input, expect) =>
  add(
    `canary-${id}`,
    47,
    'CVE-2022-39304, CVE-2026-44883: a rejection is safe to log.',
    { canary, ...input },
    expect,
  );
leak('accepted', { token: token({ payload: claims({ sub: canary }) }) }, accept({ claims: { sub: canary } }));
leak(
  'in-typ-before-the-signature',
  { token: token({ header: { typ: canary }, bytes: Buffer.alloc(64, 1) }) },
  refuse('signature-invalid'),
);
leak('in-crit', { token: token({ header: { crit: [canary], [canary]: 1 } }) }, refuse('crit-unsupported'));
leak(
  'in-a-jku',
  { token: token({ header: { jku: `https://${canary}.example`, kid: canary } }) },
  refuse('kid-unknown'),
);
leak('in-a-scheme', { kind: 'authorization', token: `${canary} abc` }, refuse('authorization-scheme'));
leak(
  'in-credentials',
  { kind: 'authorization', token: `Bearer ${canary} x` },
  refuse('authorization-malformed'),
);
leak(
  'in-two-credentials',
  { kind: 'authorization', token: `Bearer ${canary}, Basic ${canary}` },
  refuse('authorization-ambiguous'),
);
leak('in-a-long-token', { token: [canary, { repeat: 'a', count: 9000 }] }, refuse('token-too-large'));
leak(
  'in-a-nonce-of-an-expired-token',
  { token: token({ payload: claims({ exp: 1, nonce: canary, email: canary }) }) },
  refuse('expired'),
);
leak(
  'in-sub-of-a-token-for-another',
  { token: token({ payload: claims({ aud: 'https://other.example', sub: canary, scope: canary }) }) },
  refuse('audience-mismatch', { expected: [AUDIENCE] }),
);
leak(
  'in-a-malformed-sub',
  { token: token({ payload: claims({ sub: [canary] }) }) },
  refuse('claim-malformed', { claim: 'sub' }),
);
leak(
  'in-a-name-that-is-required',
  {
    policy: { issuers: [{ ...es256.issuers[0], requiredClaims: ['tenant'] }] },
    token: token({ payload: claims({ [canary]: 1 }) }),
  },
  refuse('claim-missing', { claim: 'tenant' }),
);
leak('to-inspect', { kind: 'inspect', token: `${canary}.${canary}` }, refuse('segment-count'));
const long = `https://${'x'.repeat(300)}.example`;
add(
  'canary-behind-two-hundred-letters',
  47,
  'What was compared is shown once it is authentic, cut at 200 characters.',
  { canary, token: token({ payload: claims({ aud: `${'a'.repeat(200)}${canary}` }) }) },
  refuse('audience-mismatch', { actual: ['a'.repeat(200)] }),
);
add(
  'cut-typ',
  47,
  'typ is cut too.',
  { token: token({ header: { typ: long } }) },
  refuse('type-mismatch', { actual: long.slice(0, 200) }),
);
add(
  'cut-counts-characters-not-bytes',
  47,
  'A character is never cut in two.',
  { token: token({ payload: claims({ iss: 'é'.repeat(300) }) }) },
  refuse('issuer-mismatch', { expected: [ISSUER], actual: 'é'.repeat(200) }),
);
