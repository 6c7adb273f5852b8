// How the suite calls jose: the options a careful user would set to say what our policy says. jose
// has no policy over several issuers, several `typ` values or mixed key formats, so those are
// tried one after the other. Only outcomes compare: its codes differ.
import {
  compactVerify,
  createLocalJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  errors,
  importJWK,
  importSPKI,
  jwtVerify,
} from 'jose';

const DEFAULT_LEEWAY = 5;
const FAMILIES = {
  RSA: ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  EC: ['ES256', 'ES384', 'ES512'],
  OKP: ['EdDSA', 'Ed25519'],
  oct: ['HS256', 'HS384', 'HS512'],
};

export const library = {
  name: 'jose',
  synchronous: false,
  exact: false,
  // A Bearer header and a policy document have no counterpart in jose.
  kinds: ['verify', 'jws', 'inspect'],
  async verify(policy, token, now) {
    let refusal;
    for (const issuer of policy.issuers) {
      for (const options of optionsFor(policy, issuer, now)) {
        try {
          const { payload, protectedHeader } = await verifyWithKeys(token, keySets(issuer), options);
          return { ok: true, claims: payload, header: protectedHeader };
        } catch (error) {
          refusal = error;
        }
      }
    }
    return refused(refusal);
  },
  async verifyJws(jws, jwk) {
    try {
      const algorithms = jwk.alg === undefined ? FAMILIES[jwk.kty] : namesOf(jwk.alg);
      const { payload } = await compactVerify(jws, async ({ alg }) => importJWK(jwk, jwk.alg ?? alg), {
        algorithms,
      });
      return { ok: true, payload };
    } catch (error) {
      return refused(error);
    }
  },
  inspect(token) {
    try {
      return { ok: true, header: decodeProtectedHeader(token), claims: decodeJwt(token) };
    } catch (error) {
      return refused(error);
    }
  },
};

/** One set of options for each `typ`, since jose takes a single one. */
function optionsFor(policy, issuer, now) {
  const types = issuer.types ?? ['at+jwt'];
  const common = {
    issuer: issuer.issuer,
    audience: issuer.audience,
    algorithms: algorithmsOf(issuer),
    clockTolerance: policy.leewaySeconds ?? DEFAULT_LEEWAY,
    requiredClaims: ['exp', ...(issuer.requiredClaims ?? [])],
    currentDate: new Date(now * 1000),
  };
  return types === 'any' ? [common] : types.map((typ) => ({ ...common, typ }));
}

function algorithmsOf(issuer) {
  if (issuer.algorithms) return issuer.algorithms.flatMap(namesOf);
  const ofJwks = (issuer.jwks?.keys ?? []).flatMap((jwk) =>
    jwk.alg === undefined ? (FAMILIES[jwk.kty] ?? []) : namesOf(jwk.alg),
  );
  return [...new Set([...ofJwks, ...(issuer.keys ?? []).flatMap((key) => namesOf(key.alg))])];
}

// RFC 9864 renamed EdDSA with Ed25519 to Ed25519; we take both for one, jose for two.
function namesOf(alg) {
  return alg === 'EdDSA' || alg === 'Ed25519' ? ['EdDSA', 'Ed25519'] : [alg];
}

/**
 * jose's JWK set for public keys; a key function for what a JWK set does not hold: PEM, DER and
 * secrets.
 */
function keySets(issuer) {
  const jwks = issuer.jwks?.keys ?? [];
  const own = [
    ...jwks
      .filter((jwk) => jwk.kty === 'oct')
      .map((jwk) => ({ kid: jwk.kid, alg: jwk.alg, load: () => importJWK(jwk, jwk.alg) })),
    ...(issuer.keys ?? []).map((key) => ({ kid: key.kid, alg: key.alg, load: () => importKey(key) })),
  ];
  const sets = own.map(({ kid, alg, load }) => (header) => {
    if (header.kid !== undefined && kid !== undefined && kid !== header.kid)
      throw new errors.JWKSNoMatchingKey();
    if (alg !== undefined && !namesOf(alg).includes(header.alg)) throw new errors.JWKSNoMatchingKey();
    return load();
  });
  const shared = jwks.filter((jwk) => jwk.kty !== 'oct');
  return shared.length > 0 ? [createLocalJWKSet({ keys: shared }), ...sets] : sets;
}

async function verifyWithKeys(token, sets, options) {
  let refusal = new errors.JWKSNoMatchingKey();
  for (const set of sets) {
    try {
      return await jwtVerify(token, set, options);
    } catch (error) {
      refusal = error;
      if (error?.code !== 'ERR_JWKS_MULTIPLE_MATCHING_KEYS') continue;
      // What jose's documentation says to do with a token whose kid is missing or shared.
      for await (const key of error) {
        try {
          return await jwtVerify(token, key, options);
        } catch (inner) {
          refusal = inner;
        }
      }
    }
  }
  throw refusal;
}

function importKey({ alg, pem, spki, secret }) {
  if (secret !== undefined) return secretBytes(secret);
  if (pem !== undefined) return importSPKI(pem, alg);
  const base64 = btoa(String.fromCharCode(...(spki instanceof Uint8Array ? spki : bytes(spki))));
  return importSPKI(`-----BEGIN PUBLIC KEY-----\n${base64}\n-----END PUBLIC KEY-----`, alg);
}

/** The two encodings that are asked of jose. */
function secretBytes(secret) {
  if (secret instanceof Uint8Array) return secret;
  return secret.utf8 === undefined ? bytes(secret.base64url) : new TextEncoder().encode(secret.utf8);
}

function bytes(base64url) {
  return Uint8Array.from(atob(base64url.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));
}

function refused(error) {
  return { ok: false, code: `${error?.code ?? error?.name}: ${error?.message}` };
}
