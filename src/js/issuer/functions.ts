import type { Instance } from '../instance/instance.js';
import { ask } from '../instance/resident.js';
import { orPolicyError } from '../shared/errors.js';
import { toJson } from '../shared/to-json.js';
import { instant } from '../verifier/convert.js';
import { bindFunctions as bindVerifier, type VerifierFunctions } from '../verifier/functions.js';
import type { Jwk } from '../verifier/policy.js';
import type { IssuerGlue } from '../wasm/glue.js';
import type {
  createIssuer,
  generateSigningKey,
  hashClientSecret,
  importSigningKey,
  SigningKey,
} from './index.js';
import { makeIssuer } from './issuer.js';
import { ResidentSigningKey } from './resident.js';

/** The functions of the issuer's entry. */
export interface IssuerFunctions extends VerifierFunctions {
  generateSigningKey: typeof generateSigningKey;
  importSigningKey: typeof importSigningKey;
  createIssuer: typeof createIssuer;
  hashClientSecret: typeof hashClientSecret;
}

/** Makes the functions of the issuer's entry from a way to get at the core. */
export function bindFunctions(core: () => Instance<IssuerGlue>): IssuerFunctions {
  return {
    ...bindVerifier(core),
    generateSigningKey(alg) {
      const name = String(alg);
      return signingKey(() => ResidentSigningKey.generate(core(), name));
    },
    createIssuer: (options) => makeIssuer(core(), options),
    hashClientSecret(secret) {
      const home = core();
      // What is no string is none: `String` would make a secret of `undefined`.
      const text = typeof secret === 'string' ? secret : '';
      return orPolicyError(() => ask(home, () => home.glue.hashClientSecret(text)));
    },
    importSigningKey(privateJwk) {
      const text = toJson(privateJwk);
      return signingKey(() => new ResidentSigningKey(core(), text));
    },
  };
}

function signingKey(make: () => ResidentSigningKey): SigningKey {
  const raw = orPolicyError(make);
  const publicJwk = JSON.parse(raw.publicJwk()) as Jwk;
  return {
    kid: raw.kid,
    alg: raw.alg as SigningKey['alg'],
    publicJwk,
    jwks: () => ({ keys: [publicJwk] }),
    privateJwk: () => JSON.parse(raw.privateJwk()) as Jwk,
    mintAccessToken(request, options) {
      const text = toJson(request);
      const now = instant(options);
      return orPolicyError(() => raw.mint(text, now));
    },
  };
}
