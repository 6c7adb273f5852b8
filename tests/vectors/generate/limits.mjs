// Limits to the byte: each at its default, at a lowered value and at its cap, with one less than
// too much and one too much.
import { accept, claims, collection, encode, policy, refuse, token } from './signing.mjs';

const es256 = policy(['ES256']);
const raised = { tokenBytes: 16384, headerBytes: 4096, depth: 32, members: 1024 };
const { add, file } = collection('Own.', {
  raised: { ...es256, limits: raised },
  short: { ...es256, limits: { tokenBytes: 600 } },
  lowered: { ...es256, limits: { headerBytes: 64, depth: 2, members: 7 } },
});

export { file };

const two = (id, klass, comment, policyName, make, at, expect) => {
  add(
    `limit-${id}-reached`,
    klass,
    `${comment}: exactly as much.`,
    { policy: policyName, token: make(at) },
    accept(),
  );
  add(
    `limit-${id}-passed`,
    klass,
    `${comment}: one more.`,
    { policy: policyName, token: make(at + 1) },
    expect(at + 1),
  );
};

// Tokens of an exact length. A length that leaves one character over a multiple of four in the
// payload does not exist, so `kid`-less header members move it.
function ofLength(length) {
  for (let header = 0; header < 12; header++) {
    const bare = token({ header: { x: 'x'.repeat(header) }, payload: claims({ filler: '' }) }).length;
    const guess = Math.floor(((length - bare) * 3) / 4);
    for (let filler = Math.max(0, guess - 4); filler < guess + 5; filler++) {
      const made = token({
        header: { x: 'x'.repeat(header) },
        payload: claims({ filler: 'x'.repeat(filler) }),
      });
      if (made.length === length) return made;
    }
  }
  throw new Error(`no token of ${length} characters`);
}
const tooLarge = (limit) => (actual) => refuse('token-too-large', { limit, actual, stage: 'jws' });
two('token-8192', 44, 'The default limit of a token', 'default', ofLength, 8192, tooLarge(8192));
two('token-16384', 44, 'The cap', 'raised', ofLength, 16384, tooLarge(16384));
two('token-600', 44, 'A lowered limit', 'short', ofLength, 600, tooLarge(600));
const ofHeader = (bytes) => {
  const bare = Buffer.from(JSON.stringify({ alg: 'ES256', typ: 'at+jwt', kid: 'ES256', x: '' })).length;
  return token({ header: { x: 'x'.repeat(bytes - bare) } });
};
two('header-1024', 44, 'The default limit of a header', 'default', ofHeader, 1024, (actual) =>
  refuse('header-too-large', { limit: 1024, actual }),
);
two('header-4096', 44, 'The cap of a header', 'raised', ofHeader, 4096, (actual) =>
  refuse('header-too-large', { limit: 4096, actual }),
);
two('header-64', 44, 'A lowered limit of a header', 'lowered', ofHeader, 64, (actual) =>
  refuse('header-too-large', { limit: 64, actual }),
);
const spaced = `${' '.repeat(1000)}{"alg":"ES256","typ":"at+jwt","kid":"ES256"}`;
add(
  'limit-header-of-white-space',
  44,
  'White space counts.',
  { token: token({ header: spaced }) },
  refuse('header-too-large', { limit: 1024, actual: spaced.length }),
);

// Depth: the object itself is the first level
const nested = (kind) => (depth) => {
  const [open, close] = kind === 'arrays' ? ['[', ']'] : ['{"a":', '}'];
  const inner = `${open.repeat(depth - 1)}${kind === 'arrays' ? '' : '1'}${close.repeat(depth - 1)}`;
  return token({ payload: JSON.stringify(claims()).replace(/}$/, `,"deep":${inner}}`) });
};
const tooDeep = (limit) => () => refuse('json-too-deep', { part: 'payload', limit, stage: 'claims' });
for (const kind of ['objects', 'arrays']) {
  two(`depth-16-${kind}`, 45, 'The default depth', 'default', nested(kind), 16, tooDeep(16));
  two(`depth-32-${kind}`, 45, 'The cap of depth', 'raised', nested(kind), 32, tooDeep(32));
  two(`depth-2-${kind}`, 45, 'A lowered depth', 'lowered', nested(kind), 2, tooDeep(2));
}
add(
  'limit-depth-1000',
  45,
  'CVE-2024-58264, as deep as fits a token.',
  { token: nested('arrays')(1000) },
  refuse('json-too-deep', { part: 'payload', limit: 16 }),
);
add(
  'limit-depth-of-the-header',
  45,
  'The header has the same limit.',
  {
    token: token({
      header: `{"alg":"ES256","kid":"ES256","typ":"at+jwt","x":${'['.repeat(16)}${']'.repeat(16)}}`,
    }),
  },
  refuse('json-too-deep', { part: 'header', limit: 16, stage: 'jws' }),
);
add(
  'limit-depth-of-the-header-reached',
  45,
  'And the same level is allowed.',
  {
    token: token({
      header: `{"alg":"ES256","kid":"ES256","typ":"at+jwt","x":${'['.repeat(15)}${']'.repeat(15)}}`,
    }),
  },
  accept(),
);
add(
  'limit-unclosed-brackets',
  45,
  'Depth is told although the text is not JSON either.',
  { token: token({ payload: `{"a":${'['.repeat(20)}` }) },
  refuse('json-too-deep', { part: 'payload', limit: 16 }),
);

// Members of all levels together; claims() has five
const members = (spread) => (count) => {
  const names = Array.from({ length: count - 5 - (spread ? 2 : 0) }, (_, index) => [`m${index}`, 0]);
  const half = names.length >> 1;
  const more = spread
    ? { a: Object.fromEntries(names.slice(0, half)), b: [Object.fromEntries(names.slice(half))] }
    : Object.fromEntries(names);
  return token({ payload: claims(more) });
};
const tooMany = (limit) => () => refuse('json-too-many-members', { part: 'payload', limit, stage: 'claims' });
for (const spread of [false, true]) {
  const suffix = spread ? '-spread' : '';
  two(
    `members-128${suffix}`,
    45,
    'The default count of members',
    'default',
    members(spread),
    128,
    tooMany(128),
  );
  two(`members-1024${suffix}`, 45, 'The cap of members', 'raised', members(spread), 1024, tooMany(1024));
}
two('members-7', 45, 'A lowered count of members', 'lowered', members(false), 7, tooMany(7));

// Counted before they are copied
add(
  'limit-a-megabyte-in-one-segment',
  44,
  'CVE-2025-27144: refused by its length.',
  { token: [{ repeat: 'A', count: 1_000_000 }] },
  refuse('token-too-large', { limit: 8192, actual: 1_000_000 }),
);
add(
  'limit-a-valid-token-with-a-long-tail',
  44,
  'A valid beginning changes nothing.',
  { token: [token(), { repeat: '.', count: 100_000 }] },
  refuse('token-too-large', { limit: 8192, actual: token().length + 100_000 }),
);
add(
  'limit-letters-of-two-bytes',
  44,
  'Bytes are counted: 5000 letters of two bytes are more than 8192.',
  { token: [{ repeat: 'é', count: 5000 }] },
  refuse('token-too-large', { limit: 8192 }),
);
add(
  'limit-letters-of-two-bytes-within',
  44,
  'And 4000 are not; they are no token.',
  { token: [{ repeat: 'é', count: 4000 }] },
  refuse('segment-count', { actual: 1 }),
);
add(
  'limit-a-megabyte-of-credentials',
  44,
  'The same in a header.',
  { kind: 'authorization', token: ['Bearer ', { repeat: 'a', count: 1_000_000 }] },
  refuse('token-too-large', { limit: 8192 }),
);
add(
  'limit-a-megabyte-to-inspect',
  44,
  'Looking has the same limit.',
  { kind: 'inspect', token: [{ repeat: '.', count: 1_000_000 }] },
  refuse('token-too-large', { limit: 8192, actual: 1_000_000 }),
);
add(
  'limit-depth-to-inspect',
  45,
  'And the same reader.',
  { kind: 'inspect', token: `${encode({ alg: 'ES256' })}.${encode(`{"a":${'['.repeat(3000)}`)}.` },
  refuse('json-too-deep', { part: 'payload', limit: 16 }),
);
add(
  'limit-a-jws-of-nine-kilobytes',
  44,
  'And a JWS without a policy.',
  { kind: 'jws', jwk: es256.issuers[0].jwks.keys[0], token: ofLength(8193) },
  refuse('token-too-large', { limit: 8192, actual: 8193 }),
);
add(
  'limit-a-jws-of-eight-kilobytes',
  44,
  'Which at the limit is accepted.',
  { kind: 'jws', jwk: es256.issuers[0].jwks.keys[0], token: ofLength(8192) },
  accept(),
);
