import type { Core } from './boot.js';
import { instant, toJson } from './convert.js';
import { orPolicyError } from './errors.js';
import { bindFace, type Face } from './face.js';
import { makeIssuer } from './issuer/issuer.js';
import type {
  createIssuer,
  generateSigningKey,
  hashClientSecret,
  importSigningKey,
  SigningKey,
} from './issuer.js';
import type { Jwk } from './policy.js';
import type { IssuerGlue, RawSigningKey } from './wasm/glue.js';

/** The functions of the issuer's entry. */
export interface IssuerFace extends Face {
  generateSigningKey: typeof generateSigningKey;
  importSigningKey: typeof importSigningKey;
  createIssuer: typeof createIssuer;
  hashClientSecret: typeof hashClientSecret;
}

/** Makes the functions of the issuer's entry from a way to get at the core. */
export function bindIssuerFace(core: () => Core<IssuerGlue>): IssuerFace {
  return {
    ...bindFace(core),
    generateSigningKey: (alg) => signingKey(() => core().glue.RawSigningKey.generate(String(alg))),
    createIssuer: (options) => makeIssuer(core().glue, options),
    hashClientSecret: (secret) => orPolicyError(() => core().glue.hashClientSecret(String(secret))),
    importSigningKey: (privateJwk) => signingKey(() => core().glue.RawSigningKey.fromJwk(toJson(privateJwk))),
  };
}

function signingKey(make: () => RawSigningKey): SigningKey {
  const raw = orPolicyError(make);
  const publicJwk = JSON.parse(raw.publicJwk()) as Jwk;
  return {
    kid: raw.kid,
    alg: raw.alg as SigningKey['alg'],
    publicJwk,
    jwks: () => ({ keys: [publicJwk] }),
    privateJwk: () => JSON.parse(raw.privateJwk()) as Jwk,
    mintAccessToken: (request, options) => orPolicyError(() => raw.mint(toJson(request), instant(options))),
  };
}
