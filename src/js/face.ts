import { type Core, instantiate } from './boot.js';
import { handOver, toJson } from './convert.js';
import { orPolicyError } from './errors.js';
import type { createVerifier, inspect, Sealed, VerifierOptions, verifyJws } from './index.js';
import type { Policy } from './policy.js';
import { sealedPolicy } from './sealed.js';
import type { Inspection, JwsVerdict, Rejected } from './verdict.js';
import { makeVerifier } from './verifier.js';
import type { ValidatorGlue } from './wasm/glue.js';

/** The functions of the main entry. */
export interface Face {
  createVerifier: typeof createVerifier;
  verifyJws: typeof verifyJws;
  inspect: typeof inspect;
}

/** Glue holds its instance in a variable of its own, so two entries with the same glue share the first one's. */
const running = /* @__PURE__ */ new WeakMap<ValidatorGlue, WebAssembly.Memory>();

/** The core, its module compiled and instantiated on first use: importing an entry costs nothing. */
export function lazily<G extends ValidatorGlue>(
  glue: G,
  name: string,
  load: () => WebAssembly.Module,
): () => Core<G> {
  return () => {
    let memory = running.get(glue);
    if (memory === undefined) {
      memory = instantiate(glue, name, load());
      running.set(glue, memory);
    }
    return { glue, memory };
  };
}

/** Makes the functions of the main entry from a way to get at the core. */
export function bindFace(core: () => Core<ValidatorGlue>): Face {
  return {
    createVerifier: Object.assign(
      (policy: Policy, options?: VerifierOptions) => makeVerifier(core(), toJson(policy), options),
      {
        fromSealed: (sealed: Sealed, options?: VerifierOptions) =>
          makeVerifier(core(), sealedPolicy(sealed), options),
      },
    ) as Face['createVerifier'],
    verifyJws(jws, jwk): JwsVerdict {
      const { glue } = core();
      const [json, payload] = orPolicyError(() => glue.verifyJws(...handOver(jws), toJson(jwk)));
      const verdict = JSON.parse(json) as { ok: true; header: { alg: string } } | Rejected;
      return verdict.ok ? { ...verdict, payload } : verdict;
    },
    inspect: (token) => JSON.parse(core().glue.inspect(...handOver(token))) as Inspection,
  };
}
