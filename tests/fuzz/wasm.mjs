// Asks the native build and the wasm modules the same, and compares what they say, word for word:
// codes, fields and claims, and whole steps of a gate. The questions are the vectors, changed a
// little; some are signed again, so that what is changed gets past the signature.
//   npm run fuzz -- --only wasm
//   node tests/fuzz/wasm.mjs --seconds 60 --seed 1        the same questions again, on a dist/ that is there
import { spawn } from 'node:child_process';
import { createHash, createHmac, randomInt } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { isDeepStrictEqual, parseArgs } from 'node:util';

import { createVerifier } from 'portcullis';
import { createGate } from 'portcullis/gate';

import { RawGate } from '../../dist/wasm/portcullis_gate_bg.js';
import { main, NATIVE_FEATURES, Plain, run, TARGET } from '../../src/build/steps.mjs';
import { readVectors } from '../vectors/read.mjs';

const BATCH = 200;
/** The same in verdicts.rs. */
const NONCE_SECRET = new Uint8Array(32).fill(7);
const LONGEST = 8192;
/** The last second that is an instant: the year 9999 ends. */
const LAST = 253_402_300_799;
const isInstant = (now) => Number.isInteger(now) && now >= 0 && now <= LAST;
/** What a parser may stumble over, in the payload as in a URL. */
const MORSELS = [
  ...[
    '"',
    '\\',
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '.',
    '-',
    '=',
    '+',
    ' ',
    '\0',
    '\ufeff',
    '%2F',
    '/..',
    '\\u0000',
  ],
  ...[
    '\\ud800',
    '\\u0061',
    'é',
    '\u{1f511}',
    '0',
    '-0',
    '1e9',
    '1e400',
    '1.5',
    '253402300800',
    '9007199254740993',
  ],
  ...[
    '18446744073709551616',
    'null',
    'true',
    '"iss":',
    '"exp":1',
    '"aud":[]',
    '"crit":["b64"]',
    '"kid":1',
    'HS256',
  ],
];

/** What is asked, by the vectors: each with its policy by number. */
function questions() {
  const policies = [];
  const asked = [];
  for (const file of readVectors()) {
    const numbers = new Map();
    for (const vector of file.vectors) {
      const { kind, token, now = 0, request, evidence } = vector;
      const policy = typeof vector.policy === 'string' ? file.policies[vector.policy] : vector.policy;
      if (policy === null || typeof policy !== 'object') continue;
      const question =
        request === undefined
          ? { kind, text: token, now }
          : { kind: 'gate', text: JSON.stringify({ ...request, evidence }), now };
      if (!['verify', 'authorization', 'gate'].includes(question.kind)) continue;
      if (!isInstant(now) || typeof question.text !== 'string' || question.text.length > LONGEST) continue;
      // The module of the validator knows of no lists.
      if (question.kind !== 'gate' && policy.revocation) continue;
      if (!numbers.has(policy)) numbers.set(policy, policies.push(policy) - 1);
      asked.push({ policy: numbers.get(policy), ...question });
    }
  }
  return { policies, asked };
}

/** Numbers that come again with their seed (mulberry32). */
function numbersFrom(seed) {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** Changes texts and tokens. */
function changer(below, policies) {
  const one = (list) => list[below(list.length)];
  const secrets = policies.map(secretsOf);

  function changed(text) {
    let result = text;
    for (let left = below(3); left >= 0; left--) {
      const from = below(result.length + 1);
      const to = Math.min(result.length, from + below(1 + below(12)));
      const put = [one(MORSELS), '', String.fromCharCode(32 + below(95)), result.slice(from, to).repeat(2)];
      result = result.slice(0, from) + one(put) + result.slice(to);
    }
    return result;
  }

  /** One part of it, and its tag if there is a secret that makes one. */
  function ofToken(text, policy) {
    const at = text.lastIndexOf(' ') + 1;
    const parts = text.slice(at).split('.');
    const index = below(3);
    const bytes = Buffer.from(parts[index] ?? '', 'base64url');
    parts[index] = Buffer.from(changed(bytes.toString('latin1')), below(2) ? 'latin1' : 'utf8').toString(
      'base64url',
    );
    const secret = secrets[policy].length > 0 && index < 2 ? one(secrets[policy]) : undefined;
    if (secret !== undefined) {
      if (index === 1) {
        const typ = below(2) ? 'at+jwt' : 'JWT';
        parts[0] = Buffer.from(JSON.stringify({ alg: 'HS256', kid: secret.kid, typ })).toString('base64url');
      }
      const [header, payload] = parts;
      parts[2] = createHmac('sha256', secret.bytes).update(`${header}.${payload}`).digest('base64url');
    }
    return text.slice(0, at) + parts.join('.');
  }

  return ({ kind, text, now, policy }) => ({
    policy,
    kind,
    now: below(4) ? now : one([0, 1, now + 60, now + 61, now - 3600, now + 86_400, LAST].filter(isInstant)),
    text: (
      (below(8) && (kind === 'gate' || !below(3) ? changed(text) : ofToken(text, policy))) ||
      text
    ).toWellFormed(),
  });
}

function secretsOf({ issuers }) {
  return (Array.isArray(issuers) ? issuers : []).flatMap((issuer) => [
    ...(Array.isArray(issuer?.jwks?.keys) ? issuer.jwks.keys : [])
      .filter((jwk) => jwk?.kty === 'oct' && jwk.alg === 'HS256' && typeof jwk.k === 'string')
      .map(({ kid, k }) => ({ kid, bytes: Buffer.from(k, 'base64url') })),
    ...(Array.isArray(issuer?.keys) ? issuer.keys : [])
      .filter((key) => key?.alg === 'HS256' && typeof key.secret === 'string')
      .map(({ kid, secret }) => ({ kid, bytes: Buffer.from(secret, 'base64url') })),
  ]);
}

/** What the wasm modules say. */
function wasm(policies) {
  const verifiers = new Map();
  const gates = new Map();
  const kept = (map, policy, make) => {
    if (!map.has(policy)) map.set(policy, make(policies[policy]));
    return map.get(policy);
  };
  const verifier = (policy) => kept(verifiers, policy, (policy) => createVerifier(policy, { cache: 0 }));
  // The module runs from its first use on.
  createGate({
    issuers: [
      {
        issuer: 'https://i',
        audience: 'a',
        keys: [{ alg: 'HS256', secret: { base64url: 'AQID'.repeat(11) } }],
      },
    ],
  });
  const gate = (policy) => kept(gates, policy, (policy) => new RawGate(JSON.stringify(policy), NONCE_SECRET));
  return ({ policy, kind, text, now }) => {
    try {
      if (kind === 'gate') return JSON.parse(gate(policy).decide(text, now));
      const { ok, claims, ...rest } =
        kind === 'verify'
          ? verifier(policy).verify(text, { now })
          : verifier(policy).verifyAuthorization(text, { now });
      return ok ? { ok, claims } : { ok, ...rest };
    } catch (error) {
      // The core throws a PolicyError as JSON.
      const { pointer, reason, message } = typeof error === 'string' ? JSON.parse(error) : error;
      return pointer === undefined ? { threw: String(message) } : { pointer, reason };
    }
  };
}

/** What the native build says. */
async function native(policies) {
  const build = ['build', '--locked', '--features', NATIVE_FEATURES, '--example', 'verdicts'];
  await run('cargo', build, { log: 'verdicts' });
  const child = spawn(join(TARGET, 'debug', 'examples', 'verdicts'), { stdio: ['pipe', 'pipe', 'inherit'] });
  const failed = new Promise((_, reject) => {
    child.on('error', reject);
    child.on('exit', (status, signal) =>
      reject(new Plain(`the native build ended with ${status ?? signal}`)),
    );
    child.stdin.on('error', () => {});
  });
  failed.catch(() => {});
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  child.stdin.write(`${JSON.stringify(policies)}\n`);
  return {
    async ask(batch) {
      child.stdin.write(`${JSON.stringify(batch)}\n`);
      const answers = [];
      for (let left = batch.length; left > 0; left--) {
        const { value } = await Promise.race([lines.next(), failed]);
        // It has ended, and why is known in a moment.
        if (value === undefined) await failed;
        const { payload, ...answer } = JSON.parse(value);
        answers.push(payload === undefined ? answer : { ...answer, claims: JSON.parse(payload) });
      }
      return answers;
    },
    end: () => child.stdin.end(),
  };
}

const isSame = (ours, theirs) =>
  isDeepStrictEqual(JSON.parse(JSON.stringify(ours)), JSON.parse(JSON.stringify(theirs)));

/** Asks until the time is over. */
async function compare(seconds, seed) {
  const { policies, asked } = questions();
  const below = numbersFrom(seed);
  const change = changer(below, policies);
  const theirs = wasm(policies);
  const ours = await native(policies);
  try {
    return await asking(seconds, seed, { asked, below, change, theirs, ours });
  } finally {
    ours.end();
  }
}

async function asking(seconds, seed, { asked, below, change, theirs, ours }) {
  const outcomes = new Map();
  let executions = 0;
  const put = async (batch) => {
    const waiting = ours.ask(batch);
    const said = batch.map(theirs);
    for (const [index, answer] of (await waiting).entries()) {
      if (!isSame(answer, said[index])) throw different(batch[index], answer, said[index], seed);
      const outcome = answer.code ?? answer.pointer ?? answer.step ?? 'accepted';
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      executions += 1;
    }
  };
  const ends = Date.now() + seconds * 1000;
  for (let at = 0; at < asked.length; at += BATCH) await put(asked.slice(at, at + BATCH));
  while (Date.now() < ends)
    await put(Array.from({ length: BATCH }, () => change(asked[below(asked.length)])));
  // Whoever compares an answer with itself finds nothing.
  const accepted = asked.find((question) => theirs(question).ok);
  const [answer] = await ours.ask([accepted]);
  if (isSame(answer, theirs({ ...accepted, text: `${accepted.text}A` })))
    throw new Plain('a difference that was planted is not found');
  return { executions, seeds: asked.length, outcomes };
}

function different(question, native, wasm, seed) {
  const text = JSON.stringify({ question, native, wasm }, null, 1);
  const folder = join(TARGET, 'fuzz', 'crashes');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `wasm-${createHash('sha1').update(text).digest('hex')}.json`);
  writeFileSync(file, text);
  return new Plain(`native and wasm answer differently (seed ${seed}, kept in ${file}):\n${text}`);
}

await main(async () => {
  const { values } = parseArgs({
    options: { seconds: { type: 'string', default: '60' }, seed: { type: 'string' } },
  });
  const seed = values.seed === undefined ? randomInt(2 ** 32) : Number(values.seed);
  const { executions, seeds, outcomes } = await compare(Number(values.seconds), seed);
  if (outcomes.size < 40) throw new Plain(`there were only ${outcomes.size} different outcomes`);
  console.log(`seed ${seed}: ${outcomes.size} outcomes, ${outcomes.get('accepted')} accepted`);
  console.log(`vectors: ${seeds}\nexecutions: ${executions}`);
});
