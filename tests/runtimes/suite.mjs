// The conformance suite: one file for every runtime, so it imports nothing that belongs to one of
// them. The library is an argument (libraries/*.mjs say how to call each); what comes out is plain
// data that survives a console, an HTTP response or a POST.
import { leakedText } from './leaks.mjs';
import { runProperties, SHARED_PROPERTIES } from './properties.mjs';
import { shapeFault } from './shapes.mjs';

/** Runs every vector the library has an answer for, twice, then the per-runtime properties. */
export async function runSuite(library, vectorFiles) {
  const failed = [];
  const seen = new Set();
  let total = 0;
  for (const file of vectorFiles) {
    for (const vector of file.vectors) {
      if (seen.has(vector.id))
        failed.push({ id: vector.id, expected: 'an id used once', got: 'a second vector' });
      seen.add(vector.id);
      // No other library has words for what such a file's policies say.
      if (!library.kinds.includes(vector.kind) || (file.own && !library.exact)) continue;
      total += 1;
      const fault = await runVector(library, file, vector);
      if (fault) failed.push({ id: vector.id, ...fault });
    }
  }
  for (const { id, fault } of await runProperties(library)) {
    total += 1;
    if (fault) failed.push({ id, ...fault });
  }
  return { library: library.name, passed: total - failed.length, failed, total };
}

/**
 * Every id that a library answering these kinds is asked about: what an exceptions list is checked
 * against.
 */
export function idsFor(kinds, vectorFiles) {
  const others = vectorFiles.filter(({ own }) => !own);
  const asked = others.flatMap((file) => file.vectors.filter(({ kind }) => kinds.includes(kind)));
  return [...asked.map(({ id }) => id), ...SHARED_PROPERTIES];
}

async function runVector(library, file, vector) {
  const question = prepare(file, vector);
  const first = await ask(library, vector, question);
  const fault = library.exact ? exactFault(vector, question, first) : outcomeFault(vector, first);
  if (fault) return fault;
  // A cache, a poisoned instance or a borrowed buffer shows when the same question is put again.
  const second = await ask(library, vector, question);
  if (canonical(first) === canonical(second)) return undefined;
  return { expected: `the first answer again: ${brief(first)}`, got: brief(second) };
}

function prepare(file, vector) {
  const policy = typeof vector.policy === 'string' ? file.policies?.[vector.policy] : vector.policy;
  if (typeof vector.policy === 'string' && policy === undefined) {
    throw new Error(`${vector.id}: no policy is named ${vector.policy}`);
  }
  const {
    jwk,
    remoteKeys,
    revocations,
    now = 0,
    canary,
    request,
    requirement,
    evidence,
    nonceSecret,
    binding,
  } = vector;
  const token = request === undefined ? text(vector.token) : tokenOf(request);
  return {
    policy,
    jwk,
    remoteKeys,
    revocations,
    token,
    now,
    canary,
    request,
    requirement,
    evidence,
    nonceSecret,
    binding,
  };
}

/** What must not be told again of a request. */
function tokenOf({ headers }) {
  return headers
    .find(([name]) => name.toLowerCase() === 'authorization')?.[1]
    .split(' ')
    .at(-1);
}

/** `["text", {"repeat": ".", "count": 1000000}]` keeps a megabyte of dots out of the repository. */
export function text(token) {
  if (!Array.isArray(token)) return token;
  return token.map((part) => (typeof part === 'string' ? part : part.repeat.repeat(part.count))).join('');
}

/**
 * The answer as data: `{ verdict }`, `{ policyError }` when the policy was refused, `{ threw }`
 * for anything else.
 */
async function ask(library, vector, question) {
  try {
    return { verdict: await settle(library, vector.kind, call(library, vector.kind, question)) };
  } catch (error) {
    if (error?.name === 'PolicyError') {
      const { pointer, reason, message } = error;
      return { policyError: { pointer, reason, message } };
    }
    return { threw: String(error?.stack ?? error) };
  }
}

function call(library, kind, question) {
  const { policy, jwk, token, now, remoteKeys, revocations, binding } = question;
  switch (kind) {
    case 'gate':
      return library.decide(question);
    case 'verify':
      return library.verify(policy, token, now, remoteKeys, revocations);
    case 'authorization':
      return library.verifyAuthorization(policy, token, now, binding);
    case 'jws':
      return library.verifyJws(token, jwk);
    case 'inspect':
      return library.inspect(token);
    case 'policy':
      return library.acceptPolicy(policy, remoteKeys, revocations);
    default:
      throw new Error(`unknown kind ${kind}`);
  }
}

function settle(library, kind, answer) {
  // A gate may have to fetch something.
  if (library.synchronous && kind !== 'gate' && typeof answer?.then === 'function')
    throw new Error('a promise came back');
  return answer;
}

/** What a step of the core says to the loop around it alone. */
const WITHIN = ['cacheable', 'from', 'until'];

/** For a library with other codes than ours only the outcome compares: accepted or refused. */
function outcomeFault({ expect }, { verdict, policyError, threw }) {
  const accepted = verdict?.ok === true;
  if (accepted === (expect.ok === true)) return undefined;
  const got = accepted ? 'accepted' : `refused: ${verdict?.code ?? policyError?.message ?? threw}`;
  return { expected: expect.ok ? 'accepted' : `refused: ${expect.code ?? expect.error}`, got: brief(got) };
}

function exactFault({ kind, expect }, question, answer) {
  const got = brief(answer);
  if (answer.threw) return { expected: brief(expect), got };
  const leak = leakedText(question, answer);
  if (leak)
    return { expected: 'a rejection without text of the token or of a key', got: `${leak} in ${got}` };
  if (expect.error !== undefined)
    return answer.policyError?.pointer === expect.error ? undefined : { expected: brief(expect), got };
  const { verdict } = answer;
  if (verdict?.ok !== expect.ok || (!expect.ok && verdict.code !== expect.code))
    return { expected: brief(expect), got };
  if (expect.stale !== undefined && (verdict.stale ?? false) !== expect.stale)
    return { expected: brief(expect), got };
  const shape = shapeFault(kind, verdict);
  if (shape) return { expected: shape, got };
  for (const [name, value] of Object.entries(expect.fields ?? {})) {
    if (kind === 'gate' && WITHIN.includes(name)) continue;
    if (canonical(verdict[name]) !== canonical(value))
      return { expected: `${name} = ${canonical(value)}`, got };
  }
  for (const part of ['claims', 'header']) {
    for (const [name, value] of Object.entries(expect[part] ?? {})) {
      if (canonical(verdict[part][name]) !== canonical(value))
        return { expected: `${part}.${name} = ${canonical(value)}`, got };
    }
  }
  if (kind === 'jws' && expect.payloadUtf8 !== undefined) {
    const payload = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(verdict.payload);
    if (payload !== expect.payloadUtf8) return { expected: brief(expect.payloadUtf8), got: brief(payload) };
  }
  return undefined;
}

/**
 * JSON with members sorted; a text, because an object rebuilt member by member would lose an own
 * `__proto__`.
 */
export function canonical(value) {
  if (value instanceof Uint8Array) return `bytes ${[...value].join()}`;
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'undefined';
  const members = Object.keys(value).sort();
  return `{${members.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join()}}`;
}

export function brief(value) {
  const whole = typeof value === 'string' ? value : canonical(value);
  return whole.length > 400 ? `${whole.slice(0, 400)}… (${whole.length})` : whole;
}
