import { instantiate } from './boot.js';
import { handOver, instant, toJson } from './convert.js';
import { orPolicyError } from './errors.js';
import type { createVerifier, inspect, Verifier, verifyJws } from './index.js';
import type { Inspection, JwsVerdict, Rejected, Verdict } from './verdict.js';
import type { ValidatorGlue } from './wasm/glue.js';

/** The functions of the main entry. */
export interface Face {
  createVerifier: typeof createVerifier;
  verifyJws: typeof verifyJws;
  inspect: typeof inspect;
}

/** Glue holds its instance in a variable of its own, so two entries with the same glue share the first one's. */
const instantiated = /* @__PURE__ */ new WeakSet<ValidatorGlue>();

/** The glue, its module compiled and instantiated on first use: importing an entry costs nothing. */
export function lazily<G extends ValidatorGlue>(
  glue: G,
  name: string,
  load: () => WebAssembly.Module,
): () => G {
  return () => {
    if (!instantiated.has(glue)) instantiate(glue, name, load());
    instantiated.add(glue);
    return glue;
  };
}

/** Makes the functions of the main entry from a way to get at the core. */
export function bindFace(core: () => ValidatorGlue): Face {
  return {
    createVerifier(policy): Verifier {
      const raw = orPolicyError(() => new (core().RawVerifier)(toJson(policy)));
      return {
        verify: (token, options) =>
          JSON.parse(orPolicyError(() => raw.verify(...handOver(token), instant(options)))) as Verdict,
        verifyAuthorization: (value, options) => {
          const [text, length] = handOver(value);
          const present = value === null || value === undefined ? undefined : text;
          return JSON.parse(
            orPolicyError(() => raw.verifyAuthorization(present, length, instant(options))),
          ) as Verdict;
        },
      };
    },
    verifyJws(jws, jwk): JwsVerdict {
      const [json, payload] = orPolicyError(() => core().verifyJws(...handOver(jws), toJson(jwk)));
      const verdict = JSON.parse(json) as { ok: true; header: { alg: string } } | Rejected;
      return verdict.ok ? { ...verdict, payload } : verdict;
    },
    inspect: (token) => JSON.parse(core().inspect(...handOver(token))) as Inspection,
  };
}
