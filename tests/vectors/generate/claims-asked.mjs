// Claims that a policy asks for by their value, and another claim than `aud` for the audience.
import { accept, claims, collection, misuse, policy, refuse, token } from './signing.mjs';

const { add, file: collected } = collection('Own.');

export const file = { own: true, ...collected };

const asPolicy = (id, klass, comment, value, expect) =>
  add(id, klass, comment, { kind: 'policy', policy: value }, expect);

// Claims with exact values
const asks = (values) => ({ policy: policy(['ES256'], { claims: values }) });
const says = (values) => ({ token: token({ payload: claims(values) }) });
for (const [name, value] of Object.entries({
  text: 'access',
  integer: 2,
  true: true,
  false: false,
  empty: '',
})) {
  add(
    `accepts-a-claim-of-the-value-asked-for-${name}`,
    38,
    'Exactly that value.',
    { ...asks({ c: value }), ...says({ c: value }) },
    accept(),
  );
}
for (const [name, asked, said] of [
  ['another-text', 'access', 'id'],
  ['a-longer-text', 'access', 'access '],
  ['another-case', 'access', 'Access'],
  ['text-for-a-number', 2, '2'],
  ['a-number-for-text', '2', 2],
  ['another-number', 2, 3],
  ['a-fraction', 2, 2.5],
  ['false-for-true', true, false],
  ['text-for-true', true, 'true'],
  ['one-for-true', true, 1],
  ['null', '', null],
  ['an-array-that-holds-it', 'access', ['access']],
  ['an-object', 'access', { access: 'access' }],
]) {
  add(
    `refuses-a-claim-with-${name}`,
    38,
    'The value and its type; what the token says stays unsaid.',
    { ...asks({ c: asked }), ...says({ c: said }) },
    refuse('claim-mismatch', { claim: 'c', expected: asked }),
  );
}
add(
  'refuses-a-token-without-the-claim-asked-for',
  38,
  'Absent is not equal.',
  { ...asks({ token_use: 'access' }), token: token() },
  refuse('claim-missing', { claim: 'token_use' }),
);
add(
  'refuses-a-claim-named-proto-by-its-value',
  40,
  'Own members alone.',
  {
    policy: policy(['ES256'], { claims: JSON.parse('{"__proto__":"a"}') }),
    token: token({ payload: JSON.stringify(claims()).replace('{', '{"__proto__":"b",') }),
  },
  refuse('claim-mismatch', { claim: '__proto__', expected: 'a' }),
);
for (const [name, value] of Object.entries({
  null: null,
  array: ['a'],
  object: {},
  negative: -1,
  fraction: 0.5,
})) {
  asPolicy(
    `refuses-to-ask-for-a-claim-as-${name}`,
    33,
    'What is compared is a string, a whole number or a boolean.',
    policy(['ES256'], { claims: { c: value } }),
    misuse('/issuers/0/claims/c'),
  );
}

// Another claim than aud
const byClient = (more = {}) => policy(['ES256'], { audienceClaim: 'client_id', audience: 'app', ...more });
const client = (more) => token({ payload: claims({ aud: undefined, client_id: 'app', ...more }) });
add(
  'accepts-a-token-whose-client-is-the-audience',
  36,
  "Amazon Cognito's access tokens have no aud.",
  { policy: byClient(), token: client() },
  accept(),
);
add(
  'refuses-a-token-of-another-client',
  36,
  'Compared as aud is.',
  { policy: byClient(), token: client({ client_id: 'app2' }) },
  refuse('audience-mismatch', { expected: ['app'], actual: ['app2'] }),
);
add(
  'refuses-a-token-without-that-claim',
  36,
  'It must be there.',
  { policy: byClient(), token: client({ client_id: undefined }) },
  refuse('claim-missing', { claim: 'client_id' }),
);
add(
  'refuses-aud-in-place-of-that-claim',
  36,
  'And nothing stands in for it.',
  { policy: byClient(), token: token({ payload: claims({ aud: 'app' }) }) },
  refuse('claim-missing', { claim: 'client_id' }),
);
add(
  'accepts-a-list-in-that-claim',
  36,
  'A string or an array of them, as in aud.',
  { policy: byClient({ audienceClaim: 'resources' }), token: client({ resources: ['b', 'app'] }) },
  accept(),
);
for (const [name, value] of Object.entries({
  number: 1,
  null: null,
  object: { app: 'app' },
  mixed: ['app', 1],
})) {
  add(
    `refuses-that-claim-as-${name}`,
    32,
    'Of another type it names nobody.',
    { policy: byClient({ audienceClaim: 'resources' }), token: client({ resources: value }) },
    refuse('audience-mismatch', { expected: ['app'], actual: [] }),
  );
}
add(
  'refuses-a-token-without-aud-where-no-other-claim-is-named',
  36,
  'The default stays aud.',
  { policy: policy(['ES256'], { audience: 'app' }), token: client() },
  refuse('claim-missing', { claim: 'aud' }),
);
add(
  'refuses-a-malformed-aud-beside-that-claim',
  32,
  'Present means well-formed, whoever reads it.',
  { policy: byClient(), token: client({ aud: [] }) },
  refuse('claim-malformed', { claim: 'aud' }),
);
