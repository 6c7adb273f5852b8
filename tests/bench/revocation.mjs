// What revocation costs, in WebAssembly: the gate's module in this Node.
//   node tests/bench/revocation.mjs
// Documents are signed and tokens minted by Node's own cryptography. Every figure is a median of
// interleaved rounds.
import crypto from 'node:crypto';
import { performance } from 'node:perf_hooks';

import { createVerifier } from 'portcullis/gate';

const ENTRIES = 1_000_000;
const DELTA = 10_000;
const NOW = 1_800_000_000;
const ISSUER = 'https://issuer.example';
const AUDIENCE = 'https://api.example';
const TOKENS = 4_000;
const ROUNDS = 600;
// Short rounds: a machine that does something else besides spoils few of them, and the median none.
const ROUND = { HS256: 50, ES256: 10, EdDSA: 10 };

const encode = (value) =>
  (Buffer.isBuffer(value)
    ? value
    : Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))
  ).toString('base64url');
const sha256 = (bytes) => crypto.createHash('sha256').update(bytes).digest();
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

const lister = crypto.generateKeyPairSync('ed25519');
const jwkOf = ({ publicKey }, more) => ({ ...publicKey.export({ format: 'jwk' }), ...more });
const listKey = jwkOf(lister, { kid: 'list', alg: 'EdDSA' });

/** Random hashes, ascending, each once. */
function hashes(count) {
  const words = new BigUint64Array(count);
  crypto.randomFillSync(words);
  words.sort();
  const bytes = Buffer.alloc(8 * count);
  for (let index = 0; index < count; index++) bytes.writeBigUInt64BE(words[index], 8 * index);
  return bytes;
}

function document(bytes, members) {
  const payload = {
    iat: NOW,
    not_after: NOW + 86_400,
    key: encode(Buffer.alloc(16, 7)),
    tokens: bytes.length / 8,
    cutoffs: 0,
    body: encode(sha256(bytes)),
    ...members,
  };
  const input = `${encode({ alg: 'EdDSA', kid: 'list', typ: 'portcullis-revocation+jwt' })}.${encode(payload)}`;
  return `${input}.${encode(crypto.sign(null, Buffer.from(input), lister.privateKey))}~${encode(bytes)}`;
}

const start = Buffer.alloc(32, 1);
const snapshot = document(hashes(ENTRIES), { version: 1, head: encode(start) });
const empty = document(Buffer.alloc(0), { version: 1, head: encode(start) });
/** Deltas that go on from the snapshot, one after the other. */
function deltas(count) {
  let previous = start;
  return Array.from({ length: count }, (_, index) => {
    const text = document(hashes(DELTA), { version: index + 2, previous: encode(previous) });
    previous = sha256(text.split('~')[0]);
    return text;
  });
}

// Tokens
const secret = crypto.randomBytes(32);
const pairs = {
  ES256: crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: crypto.generateKeyPairSync('ed25519'),
};
const signers = {
  HS256: (input) => crypto.createHmac('sha256', secret).update(input).digest(),
  ES256: (input) =>
    crypto.sign('sha256', Buffer.from(input), { key: pairs.ES256.privateKey, dsaEncoding: 'ieee-p1363' }),
  EdDSA: (input) => crypto.sign(null, Buffer.from(input), pairs.EdDSA.privateKey),
};

function tokens(alg, count) {
  return Array.from({ length: count }, (_, index) => {
    const payload = {
      iss: ISSUER,
      aud: AUDIENCE,
      sub: `user-${index}`,
      client_id: 'client',
      iat: NOW,
      exp: NOW + 600,
      jti: crypto.randomUUID(),
      sid: crypto.randomUUID(),
    };
    const input = `${encode({ alg, kid: alg, typ: 'at+jwt' })}.${encode(payload)}`;
    return `${input}.${encode(signers[alg](input))}`;
  });
}

const issuer = {
  issuer: ISSUER,
  audience: AUDIENCE,
  jwks: { keys: ['ES256', 'EdDSA'].map((alg) => jwkOf(pairs[alg], { kid: alg, alg })) },
  keys: [{ kid: 'HS256', alg: 'HS256', secret: { base64url: encode(secret) } }],
};
const revocation = { jwks: { keys: [listKey] }, maxStalenessSeconds: 86_400 };
const make = (more) => createVerifier({ issuers: [issuer], precompute: true, ...more }, { cache: 0 });

function took(work) {
  const began = performance.now();
  work();
  return performance.now() - began;
}

function taken(verifier, text) {
  const update = verifier.applyRevocations(text, { now: NOW });
  if (!update.ok) throw new Error(JSON.stringify(update));
  return update;
}

/** The processor's time for it, which other programs take nothing of. */
function cost(work) {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

// The first load is measured by itself: later ones find the memory that it took.
const without = make({});
const loaded = make({ revocation });
const memory = () => loaded.stats().memoryBytes;
const before = memory();
const firstMs = took(() => taken(loaded, snapshot));
const grown = memory() - before;
const { bytes } = taken(loaded, snapshot);
const again = memory() - before;
const both = (work) => {
  let ms = 0;
  const cpuMs = cost(() => {
    ms = took(work);
  });
  return { ms, cpuMs };
};
const loads = Array.from({ length: 9 }, () => {
  const verifier = make({ revocation });
  return both(() => taken(verifier, snapshot));
});

const chain = deltas(9);
const grows = make({ revocation });
taken(grows, snapshot);
const applied = chain.map((text) => both(() => taken(grows, text)));

const bare = make({ revocation });
taken(bare, empty);
const contenders = { without, empty: bare, loaded };
const figures = {};
for (const alg of ['HS256', 'ES256', 'EdDSA']) {
  const all = tokens(alg, alg === 'HS256' ? TOKENS : TOKENS / 4);
  let from = 0;
  const round = (verifier, asked) =>
    took(() => {
      for (const token of asked) {
        if (!verifier.verify(token, { now: NOW }).ok) throw new Error(`${alg}: refused`);
      }
    }) / asked.length;
  for (const verifier of Object.values(contenders)) for (let warm = 0; warm < 3; warm++) round(verifier, all);
  const times = { without: [], empty: [], loaded: [] };
  for (let turn = 0; turn < ROUNDS; turn++) {
    const asked = all.slice(from, from + ROUND[alg]);
    from = (from + ROUND[alg]) % all.length;
    // Whoever comes first finds colder caches: they take turns.
    const order = Object.keys(contenders);
    for (let shift = 0; shift < turn % order.length; shift++) order.push(order.shift());
    for (const name of order) times[name].push(round(contenders[name], asked));
  }
  const middle = Object.fromEntries(Object.entries(times).map(([name, taken]) => [name, median(taken)]));
  figures[alg] = {
    micros: { without: 1000 * middle.without, loaded: 1000 * middle.loaded },
    ratio: { empty: middle.empty / middle.without, loaded: middle.loaded / middle.without },
    lookupNanos: (1e6 * (middle.loaded - middle.empty)) / 2,
    stageNanos: 1e6 * (middle.loaded - middle.without),
  };
}

const told = (all) =>
  `${median(all.map(({ ms }) => ms)).toFixed(1)} ms, ${median(all.map(({ cpuMs }) => cpuMs)).toFixed(1)} ms of the processor`;
const mega = (count) => `${(count / 1e6).toFixed(1)} MB`;
const row = (what, goal, figure) => console.log(`| ${what} | ${goal} | ${figure} |`);
console.log('| what | goal | measured |\n| --- | --- | --- |');
row(`a list of ${ENTRIES} entries`, '≤ 10 MB', mega(bytes));
row(
  'the wasm memory grew by that much for it',
  '≤ 10 MB',
  `${mega(grown)}; for another in its place ${mega(again)}`,
);
row('it loads', '≤ 100 ms', `${told(loads)}; the first time ${firstMs.toFixed(1)} ms`);
row(`a delta of ${DELTA} entries`, '≤ 5 ms', told(applied));
row('a lookup in it, over one in an empty list', '≤ 200 ns', `${figures.HS256.lookupNanos.toFixed(0)} ns`);
row('the whole stage (jti, sid, hashes)', '–', `${figures.HS256.stageNanos.toFixed(0)} ns`);
for (const [alg, { micros, ratio }] of Object.entries(figures)) {
  const percent = (factor) => `${((factor - 1) * 100).toFixed(1)} %`;
  const from = `${micros.without.toFixed(2)} → ${micros.loaded.toFixed(2)} µs`;
  row(
    `${alg}: verify slows by`,
    '≤ 2 %',
    `${percent(ratio.loaded)} (${from}; by an empty list ${percent(ratio.empty)})`,
  );
}
