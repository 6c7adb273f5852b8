// The Authorization header: one header, one scheme, one token (RFC 6750 section 2.1).
import { accept, collection, refuse, token } from './signing.mjs';

const { add, file } = collection('Own; the grammar is that of RFC 6750 section 2.1 and RFC 9110 section 11.');

export { file };

const good = token();
const of = (id, comment, value, expect) =>
  add(id, 46, comment, { kind: 'authorization', token: value }, expect);

for (const scheme of ['Bearer', 'bearer', 'BEARER', 'bEaReR']) {
  of(
    `accepts-the-scheme-${scheme}`,
    'The scheme is case-insensitive (RFC 9110 section 11.1).',
    `${scheme} ${good}`,
    accept(),
  );
}
of('refuses-no-header', 'No credentials at all.', null, refuse('authorization-missing', { stage: 'bearer' }));
of(
  'refuses-two-headers',
  'Two headers, joined by a comma as HTTP does (RFC 9110 section 5.3).',
  `Bearer ${good}, Bearer ${good}`,
  refuse('authorization-ambiguous', { stage: 'bearer' }),
);
of(
  'refuses-a-second-credential',
  'A proxy might take the one, we the other.',
  `Basic dXNlcjpwYXNz, Bearer ${good}`,
  refuse('authorization-ambiguous'),
);
of(
  'refuses-a-comma-without-a-space',
  'A comma is in no token.',
  `Bearer ${good},${good}`,
  refuse('authorization-ambiguous'),
);
of('refuses-a-trailing-comma', 'Nor at its end.', `Bearer ${good},`, refuse('authorization-ambiguous'));
for (const [name, value] of Object.entries({
  basic: 'Basic dXNlcjpwYXNz',
  dpop: `DPoP ${good}`,
  none: good,
  empty: '',
  'with-a-space-in-front': ` Bearer ${good}`,
  'with-a-tab': `Bearer\t${good}`,
  'without-a-space': `Bearer${good}`,
  quoted: `"Bearer" ${good}`,
  'with-a-look-alike': `Веarer ${good}`,
})) {
  of(
    `refuses-the-scheme-${name}`,
    'Bearer and one space, or it is another scheme.',
    value,
    refuse('authorization-scheme'),
  );
}
for (const [name, value] of Object.entries({
  nothing: 'Bearer',
  'a-space': 'Bearer ',
  'two-spaces': `Bearer  ${good}`,
  'two-tokens': `Bearer ${good} ${good}`,
  'a-trailing-space': `Bearer ${good} `,
  quotes: `Bearer "${good}"`,
  parameters: `Bearer token="${good}"`,
  folding: `Bearer ${good}\r\n x`,
  'an-inner-equals': 'Bearer a=b',
  'equals-alone': 'Bearer =',
  'letters-beyond-ascii': 'Bearer é',
  nul: `Bearer ${good}\u0000`,
})) {
  of(
    `refuses-credentials-that-are-${name}`,
    'One token of RFC 6750’s alphabet.',
    value,
    refuse('authorization-malformed', { stage: 'bearer' }),
  );
}
of(
  'refuses-an-opaque-token',
  'It has the grammar of a bearer token and is no JWT.',
  'Bearer mF_9.B5f-4.1JqM.extra',
  refuse('segment-count', { actual: 4 }),
);
of(
  'refuses-padding-after-a-token',
  'RFC 6750 allows it, a JWS does not.',
  `Bearer ${good}==`,
  refuse('segment-not-base64url', { segment: 'signature' }),
);
of(
  'refuses-nine-kilobytes-in-a-header',
  'The limits are those of a token.',
  ['Bearer ', { repeat: 'a', count: 9216 }],
  refuse('token-too-large', { limit: 8192, actual: 9216 }),
);
