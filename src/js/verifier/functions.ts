import { Instance } from '../instance/instance.js';
import { ask } from '../instance/resident.js';
import { orPolicyError } from '../shared/errors.js';
import { toJson } from '../shared/to-json.js';
import type { ValidatorGlue } from '../wasm/glue.js';
import { handOver } from './convert.js';
import type { createVerifier, inspect, Sealed, VerifierOptions, verifyJws } from './index.js';
import type { Policy } from './policy.js';
import { sealedPolicy } from './sealed.js';
import { orUnavailable } from './unavailable.js';
import type { Inspection, JwsVerdict, Rejected } from './verdict.js';
import { makeVerifier } from './verifier.js';

/** The functions of the main entry. */
export interface VerifierFunctions {
  createVerifier: typeof createVerifier;
  verifyJws: typeof verifyJws;
  inspect: typeof inspect;
}

/**
 * Glue holds its instance in a variable of its own, so two entries with the same glue share the
 * first one's.
 */
const running = /* @__PURE__ */ new WeakMap<ValidatorGlue, Instance<ValidatorGlue>>();

/**
 * The core, its module compiled and instantiated on first use: importing an entry costs nothing.
 */
export function lazily<G extends ValidatorGlue>(
  glue: G,
  name: string,
  load: () => WebAssembly.Module,
): () => Instance<G> {
  return () => {
    let instance = running.get(glue);
    if (instance === undefined) {
      instance = new Instance(glue, name, load());
      running.set(glue, instance);
    }
    return instance as Instance<G>;
  };
}

/** Makes the functions of the main entry from a way to get at the core. */
export function bindFunctions(core: () => Instance<ValidatorGlue>): VerifierFunctions {
  return {
    createVerifier: Object.assign(
      (policy: Policy, options?: VerifierOptions) => makeVerifier(core(), toJson(policy), options),
      {
        fromSealed: (sealed: Sealed, options?: VerifierOptions) =>
          makeVerifier(core(), sealedPolicy(sealed), options),
      },
    ) as VerifierFunctions['createVerifier'],
    verifyJws(jws, jwk): JwsVerdict {
      const home = core();
      const [text, length] = handOver(jws);
      const key = toJson(jwk);
      return orUnavailable(() => {
        const told = orPolicyError(() => ask(home, () => home.glue.verifyJws(text, length, key)));
        const end = told.indexOf(0);
        const json = new TextDecoder('utf-8', { ignoreBOM: true }).decode(told.subarray(0, end));
        const verdict = JSON.parse(json) as { ok: true; header: { alg: string } } | Rejected;
        return verdict.ok ? { ...verdict, payload: told.slice(end + 1) } : verdict;
      });
    },
    inspect(token): Inspection {
      const home = core();
      const [text, length] = handOver(token);
      return orUnavailable(() => JSON.parse(ask(home, () => home.glue.inspect(text, length))) as Inspection);
    },
  };
}
