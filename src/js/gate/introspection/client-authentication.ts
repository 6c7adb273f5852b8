import { basicCredentials } from '../../net/basic-credentials.js';
import type { IntrospectionSource } from '../../net/io.js';
import { base64url } from '../../shared/base64url.js';
import { PolicyError } from '../../shared/errors.js';
import type { Jwk } from '../../verifier/policy.js';

/** What a client proves itself with. It is given in the options and never in a policy. */
export interface ClientSecrets {
  clientSecret?: string | undefined;
  /** A private key for `private_key_jwt`: P-256 (ES256), Ed25519 (EdDSA) or RSA (RS256). */
  privateKeyJwk?: Jwk | undefined;
}

/** What a request to an authorization server carries besides its own parameters. */
export interface ClientProof {
  headers: Record<string, string>;
  parameters: Record<string, string>;
}

/** Proves who asks, at this second. */
export type ClientAuthentication = (nowSeconds: number) => Promise<ClientProof>;

/** An assertion is for one request; this is for clocks that differ, in seconds. */
const ASSERTION_SECONDS = 60;

/**
 * The way a source names: `client_secret_basic` or `client_secret_post` (RFC 6749 §2.3.1), or
 * `private_key_jwt` (RFC 7523 §2.2).
 * @throws PolicyError when the secret that it needs is missing or of another kind.
 */
export function clientAuthentication(
  { issuer, clientId, authentication }: IntrospectionSource,
  secrets: ClientSecrets | undefined,
): ClientAuthentication {
  const pointer = (member: string) =>
    `/introspection/${issuer.replaceAll('~', '~0').replaceAll('/', '~1')}/${member}`;
  if (authentication === 'private_key_jwt') {
    return assertion(clientId, issuer, secrets?.privateKeyJwk, pointer('privateKeyJwk'));
  }
  const secret = secrets?.clientSecret;
  if (typeof secret !== 'string' || secret === '') {
    throw new PolicyError(pointer('clientSecret'), `is required for ${authentication}`);
  }
  const proof =
    authentication === 'client_secret_basic'
      ? { headers: { authorization: basicCredentials(clientId, secret) }, parameters: {} }
      : { headers: {}, parameters: { client_id: clientId, client_secret: secret } };
  return async () => proof;
}

interface Signer {
  alg: string;
  importing: EcKeyImportParams | RsaHashedImportParams | { name: 'Ed25519' };
  signing: EcdsaParams | { name: string };
  /** What the import reads; others may contradict it. */
  members: string[];
}

const SIGNERS: Record<string, Signer> = {
  'EC P-256': {
    alg: 'ES256',
    importing: { name: 'ECDSA', namedCurve: 'P-256' },
    signing: { name: 'ECDSA', hash: 'SHA-256' },
    members: ['kty', 'crv', 'x', 'y', 'd'],
  },
  'OKP Ed25519': {
    alg: 'EdDSA',
    importing: { name: 'Ed25519' },
    signing: { name: 'Ed25519' },
    members: ['kty', 'crv', 'x', 'd'],
  },
  RSA: {
    alg: 'RS256',
    importing: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
    signing: { name: 'RSASSA-PKCS1-v1_5' },
    members: ['kty', 'n', 'e', 'd', 'p', 'q', 'dp', 'dq', 'qi'],
  },
};

function assertion(
  clientId: string,
  issuer: string,
  jwk: Jwk | undefined,
  pointer: string,
): ClientAuthentication {
  const signer = jwk && SIGNERS[jwk.kty === 'RSA' ? 'RSA' : `${jwk.kty} ${jwk.crv}`];
  if (!signer || typeof jwk.d !== 'string') {
    throw new PolicyError(pointer, 'must be a private JWK: P-256, Ed25519 or RSA');
  }
  if (jwk.alg !== undefined && jwk.alg !== signer.alg)
    throw new PolicyError(`${pointer}/alg`, `must be ${signer.alg}`);
  const material = Object.fromEntries(signer.members.map((member) => [member, jwk[member]])) as JsonWebKey;
  const header = { alg: signer.alg, typ: 'JWT', ...(jwk.kid === undefined ? {} : { kid: jwk.kid }) };
  // The key is data, and requests may share it; the promise of it is not kept.
  let key: CryptoKey | undefined;
  return async (now) => {
    key ??= await crypto.subtle.importKey('jwk', material, signer.importing, false, ['sign']);
    // The issuer alone, since an assertion for an endpoint's URL may be played to another server
    // that claims the same.
    const claims = {
      iss: clientId,
      sub: clientId,
      aud: issuer,
      iat: now,
      exp: now + ASSERTION_SECONDS,
      jti: crypto.randomUUID(),
    };
    const input = `${encode(JSON.stringify(header))}.${encode(JSON.stringify(claims))}`;
    const signature = await crypto.subtle.sign(signer.signing, key, new TextEncoder().encode(input));
    return {
      headers: {},
      parameters: {
        client_id: clientId,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: `${input}.${base64url(new Uint8Array(signature))}`,
      },
    };
  };
}

const encode = (text: string) => base64url(new TextEncoder().encode(text));
