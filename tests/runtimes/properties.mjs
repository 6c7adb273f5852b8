// What no single vector shows: that one instance stays right after a thousand hostile questions,
// that nothing a caller can pass as a token throws, and that misuse does. Tokens are made here
// with WebCrypto's HMAC, the one signer every runtime has.
import { hostileTokens } from './hostile.mjs';
import { leakedText } from './leaks.mjs';
import { shapeFault } from './shapes.mjs';

const NOW = 1_800_000_000;
const SECRET = Uint8Array.from({ length: 32 }, (_, index) => (index * 37 + 11) % 256);
const ROUNDS = 1000;

const POLICY = {
  issuers: [
    {
      issuer: 'https://issuer.example',
      audience: 'https://api.example',
      keys: [{ kid: 'shared', alg: 'HS256', secret: { base64url: base64url(SECRET) } }],
    },
  ],
};

/** `[{ id, fault? }]`, one a property. A property throws what is wrong. */
export async function runProperties(library) {
  const properties = {
    ...SHARED,
    ...(library.exact ? { ...library.properties, ...EXACT } : {}),
  };
  const results = [];
  for (const [id, property] of Object.entries(properties)) {
    try {
      await property(library, { NOW });
      results.push({ id });
    } catch (error) {
      const got = String(error?.message ?? error).slice(0, 400);
      results.push({ id, fault: { expected: 'the property to hold', got } });
    }
  }
  return results;
}

const SHARED = {
  'property-thousand-hostile-tokens-are-refused': thousandHostile,
  'property-thousand-tokens-after-thousand-hostile-ones': thousandAfterThousand,
  'property-one-token-at-five-times': oneTokenAtFiveTimes,
};

/** The properties that every library is asked about. */
export const SHARED_PROPERTIES = Object.keys(SHARED);

const EXACT = {
  'property-nothing-a-caller-passes-as-a-token-throws': oddInputs,
  'property-a-time-out-of-range-is-the-callers-mistake': oddTimes,
  'property-bytes-and-base64url-secrets-are-one': bytesSecret,
  'property-the-hard-cap-holds-at-its-edge': hardCap,
  'property-a-stack-that-ends-in-the-core-poisons-nothing': stackEnds,
};

async function thousandHostile(library) {
  for (const hostile of hostileTokens(await thousandTokens(), ROUNDS)) {
    const verdict = await library.verify(POLICY, hostile, NOW);
    expect(verdict.ok === false, () => `accepted ${hostile.slice(0, 200)}`);
    if (!library.exact) continue;
    const fault =
      shapeFault('verify', verdict) ?? leakedText({ token: hostile, policy: POLICY }, { verdict });
    expect(!fault, () => `${fault}: ${JSON.stringify(verdict)}`);
  }
}

async function thousandAfterThousand(library) {
  const tokens = await thousandTokens();
  for (const hostile of hostileTokens(tokens, ROUNDS)) await library.verify(POLICY, hostile, NOW);
  // Interleaved with a refused one, so that no buffer or cache line can answer for its neighbour.
  for (const [index, token] of tokens.entries()) {
    const verdict = await library.verify(POLICY, token, NOW);
    expect(verdict.ok === true, () => `token ${index}: ${JSON.stringify(verdict)}`);
    expect(
      verdict.claims.jti === `token ${index} ü ✓`,
      () => `token ${index} answered with ${verdict.claims.jti}`,
    );
    const other = tokens[(index + 1) % ROUNDS];
    const spliced = `${token.slice(0, token.lastIndexOf('.'))}${other.slice(other.lastIndexOf('.'))}`;
    const refused = await library.verify(POLICY, spliced, NOW);
    expect(refused.ok === false, () => `token ${index} held with the next one's signature`);
  }
}

async function oneTokenAtFiveTimes(library) {
  const token = await signed(claims({ iat: NOW, nbf: NOW, exp: NOW + 60 }));
  for (const [now, ok] of [
    [NOW, true],
    [NOW + 65, false],
    [NOW + 64, true],
    [NOW - 6, false],
    [NOW, true],
  ]) {
    const verdict = await library.verify(POLICY, token, now);
    expect(verdict.ok === ok, () => `at ${now - NOW}: ${JSON.stringify(verdict)}`);
  }
}

/**
 * The last frames that the stack has room for, the deepest first: in some of them it ends in the
 * core, which is a trap.
 */
async function stackEnds(library) {
  const good = await signed(claims({ iat: NOW, exp: NOW + 60 }));
  const forged = `${good.slice(0, -4)}AAAA`;
  for (const token of [good, forged]) {
    const answers = [];
    const dive = () => {
      try {
        dive();
      } catch {
        // It ends in the frame above.
      }
      // How many frames are too close to the end for any answer, the engine decides.
      if (answers.length < 400) answers.push(library.verify(POLICY, token, NOW));
    };
    dive();
    expect(answers.length > 0, () => 'nothing was answered');
    for (const answer of answers) {
      const { ok, code } = await answer;
      const right = token === good ? ok : code === 'signature-invalid';
      expect(right || code === 'verifier-unavailable', () => `near the end of the stack: ${code}`);
    }
    expect((await library.verify(POLICY, good, NOW)).ok, () => 'a good token is refused afterwards');
    expect(
      (await library.verify(POLICY, forged, NOW)).code === 'signature-invalid',
      () => 'a forged one is not',
    );
  }
}

function oddInputs(library) {
  const hostile = {
    toString: () => {
      throw new Error('asked');
    },
    valueOf: () => {
      throw new Error('asked');
    },
  };
  const trap = new Proxy(
    {},
    {
      get: () => {
        throw new Error('asked');
      },
    },
  );
  const odd = [
    undefined,
    null,
    0,
    -1,
    Number.NaN,
    1n,
    true,
    false,
    {},
    [],
    ['a.b.c'],
    () => 'a.b.c',
    Symbol('token'),
    new Date(0),
    new Uint8Array(8),
    Object.create(null),
    Object('a.b.c'),
    hostile,
    trap,
  ];
  for (const value of odd) {
    const label = typeof value;
    expect(library.verify(POLICY, value, NOW).code === 'token-missing', () => `verify(${label})`);
    expect(library.inspect(value).code === 'token-missing', () => `inspect(${label})`);
    const verdict = library.verifyAuthorization(POLICY, value, NOW);
    expect(
      verdict.ok === false && verdict.stage === 'bearer',
      () => `verifyAuthorization(${label}): ${JSON.stringify(verdict)}`,
    );
  }
  for (const absent of [undefined, null]) {
    expect(
      library.verifyAuthorization(POLICY, absent, NOW).code === 'authorization-missing',
      () => `absent header ${absent}`,
    );
  }
}

function oddTimes(library) {
  for (const now of [
    Number.NaN,
    Number.POSITIVE_INFINITY,
    -1,
    0.5,
    253_402_300_800,
    '1800000000',
    1n,
    null,
    {},
    new Date(0),
  ]) {
    let caught;
    try {
      library.verify(POLICY, 'a.b.c', now);
    } catch (error) {
      caught = error;
    }
    expect(
      caught?.name === 'PolicyError' && caught.pointer === '/now',
      () => `now = ${String(now)} (${typeof now}): ${caught}`,
    );
  }
  for (const now of [0, 253_402_300_799]) library.verify(POLICY, 'a.b.c', now);
}

async function bytesSecret(library) {
  const [issuer] = POLICY.issuers;
  const policy = {
    issuers: [{ ...issuer, keys: [{ kid: 'shared', alg: 'HS256', secret: SECRET.slice() }] }],
  };
  const verdict = library.verify(policy, await signed(claims()), NOW);
  expect(verdict.ok, () => JSON.stringify(verdict));
}

function hardCap(library) {
  const policy = { ...POLICY, limits: { tokenBytes: 16_384 } };
  for (const length of [16_384, 16_385, 16_386, 100_000]) {
    const verdict = library.verify(policy, 'a'.repeat(length), NOW);
    const right =
      length <= 16_384
        ? verdict.code === 'segment-count'
        : verdict.code === 'token-too-large' && verdict.actual === length;
    expect(right, () => `${length} characters: ${JSON.stringify(verdict)}`);
  }
}

function claims(own = {}) {
  return {
    iss: 'https://issuer.example',
    aud: 'https://api.example',
    exp: NOW + 300,
    iat: NOW,
    sub: 'somebody',
    client_id: 'some-app',
    jti: 'one',
    ...own,
  };
}

async function thousandTokens() {
  const { key } = await signer();
  const tokens = [];
  for (let index = 0; index < ROUNDS; index += 1)
    tokens.push(await signed(claims({ jti: `token ${index} ü ✓` }), key));
  return tokens;
}

async function signer() {
  return {
    key: await crypto.subtle.importKey('raw', SECRET, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']),
  };
}

async function signed(payload, key) {
  const signingKey = key ?? (await signer()).key;
  const header = { alg: 'HS256', typ: 'at+jwt', kid: 'shared' };
  const input = [header, payload]
    .map((part) => base64url(new TextEncoder().encode(JSON.stringify(part))))
    .join('.');
  const signature = await crypto.subtle.sign('HMAC', signingKey, new TextEncoder().encode(input));
  return `${input}.${base64url(new Uint8Array(signature))}`;
}

function base64url(bytes) {
  const binary = String.fromCharCode(...bytes);
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

function expect(holds, say) {
  if (!holds) throw new Error(say());
}
