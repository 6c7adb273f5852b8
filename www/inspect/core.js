// The verifier itself, as in `portcullis`: the same WebAssembly and its glue, without what a
// server needs besides (remembered answers, sealed policies, typed claims). The wasm comes as a
// script, compressed and in base64, because this page's own policy (`connect-src 'none'`) lets
// nothing be fetched, not even that.
import { decode } from '../base64url.js';
import { nowSeconds } from '../times.js';
import { deflated, wasmBytes } from './packed.js';
import { ACCEPTED, SHARED, TEXT, VERDICT_NUMBERS } from './portcullis/wasm/answer.js';
import * as glue from './portcullis/wasm/portcullis_bg.js';

/** One more than the core takes of a token: enough to refuse it. */
const LONGEST = 16 * 1024 + 8;

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const encoder = new TextEncoder();

/** The JSON Schema of a policy, which comes along. */
export let schema;

let memory;
let started;

/** A mistake in a policy or key: `pointer` is a JSON pointer to the field. */
export class PolicyError extends Error {
  constructor({ pointer, reason }) {
    super(`${pointer}: ${reason}`);
    Object.assign(this, { pointer, reason });
  }
}

/** Compiles the wasm once; everything below may be called when it is settled. */
export function start() {
  started ??= unpacked().then(async (bytes) => {
    schema = JSON.parse(decoder.decode(bytes.slice(wasmBytes)));
    const imports = { './portcullis_bg.js': glue };
    const { instance } = await WebAssembly.instantiate(bytes.slice(0, wasmBytes), imports);
    glue.__wbg_set_wasm(instance.exports);
    instance.exports.__wbindgen_start();
    memory = instance.exports.memory;
  });
  return started;
}

async function unpacked() {
  const stream = new Blob([decode(deflated)]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  return new Response(stream).arrayBuffer();
}

/** A verifier by a policy. Throws PolicyError. */
export function createVerifier(policy) {
  const raw = orPolicyError(() => new glue.RawVerifier(JSON.stringify(policy)));
  const verdict = (text, now, ask) => {
    const input = new Uint8Array(memory.buffer, raw.input(), raw.inputBytes());
    const { written } = text.length > input.length ? { written: 0 } : encoder.encodeInto(text, input);
    return answerOf(raw, ask(written, Math.max(text.length, written), now));
  };
  return {
    verify: (token, { now = nowSeconds() } = {}) => verdict(token, now, (...given) => raw.verify(...given)),
    setRemoteKeys: (issuer, jwks) => orPolicyError(() => raw.setRemoteKeys(issuer, JSON.stringify(jwks))),
    verifyAuthorization: (value, { now = nowSeconds() } = {}) =>
      verdict(value, now, (...given) => raw.verifyAuthorization(true, ...given)),
  };
}

/**
 * What lies in the memory after a call: the claims and the header, or the rejection
 * (src/js/wasm/answer.ts).
 */
function answerOf(raw, outcome) {
  const answer = new Float64Array(memory.buffer, raw.answer(), VERDICT_NUMBERS);
  const json = (place) =>
    JSON.parse(decoder.decode(new Uint8Array(memory.buffer, answer[place], answer[place + 1])));
  return outcome === ACCEPTED ? { ok: true, claims: json(TEXT), header: json(SHARED) } : json(TEXT);
}

/** A token decoded and not verified. */
export const inspect = (token) => JSON.parse(glue.inspect(token.slice(0, LONGEST), token.length));

function orPolicyError(call) {
  try {
    return call();
  } catch (thrown) {
    throw typeof thrown === 'string' ? new PolicyError(JSON.parse(thrown)) : thrown;
  }
}
