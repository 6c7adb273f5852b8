// The client's requests to the authorization server, with a proof of its key where tokens are
// bound (RFC 9449 §5).
import { DPOP_ALGORITHM, dpopProof } from '../shared/dpop-proof.js';
import type { Settings } from './settings.js';
import { ask, type UpstreamResponse } from './upstream.js';

/** A form, whose members may come more than once. */
export type Form = readonly (readonly [string, string])[];

/** A proof, and the nonce in it. */
export interface Proof {
  text: string;
  nonce: string | undefined;
}

/** Sends forms to the authorization server, and knows the nonces of whoever wants one. */
export interface Client {
  post(endpoint: string, form: Form, key?: JsonWebKey): Promise<UpstreamResponse | undefined>;
  /** The proof for a request to an API. */
  prove(key: JsonWebKey, request: { method: string; url: string }, accessToken?: string): Promise<Proof>;
  /** Takes the nonce of an answer; says whether it is another than the proof's. */
  learn(url: string, headers: { get(name: string): string | null }, proof?: Proof): boolean;
}

/** Origins whose nonces are kept; there are as many as APIs. */
const MOST_NONCES = 100;

export function clientOf(settings: Settings): Client {
  const { clientId, clientSecret, timeoutMs, send, now } = settings;
  const nonces = new Map<string, string>();
  const upstream = {
    tokenEndpoint: '',
    clientId,
    timeoutMs,
    fetch: send as never,
    ...(clientSecret !== undefined && { clientSecret }),
  };
  const prove: Client['prove'] = async (key, { method, url }, accessToken) => {
    const nonce = nonces.get(new URL(url).origin);
    const signing = await crypto.subtle.importKey('jwk', key, DPOP_ALGORITHM, false, ['sign']);
    const { crv, kty, x, y } = key;
    const text = await dpopProof(signing, { crv, kty, x, y }, { method, url }, now(), nonce, accessToken);
    return { text, nonce };
  };
  const learn: Client['learn'] = (url, headers, proof) => {
    const nonce = headers.get('dpop-nonce');
    const { origin } = new URL(url);
    if (nonce === null) return false;
    if (nonces.size >= MOST_NONCES) nonces.clear();
    nonces.set(origin, nonce);
    return proof !== undefined && proof.nonce !== nonce;
  };
  const post: Client['post'] = async (endpoint, form, key) => {
    const proveOnce = async () => key && (await prove(key, { method: 'POST', url: endpoint }));
    const once = (proof: Proof | undefined) =>
      ask(upstream, endpoint, form, proof === undefined ? {} : { dpop: proof.text });
    const proof = await proveOnce();
    const told = await once(proof);
    if (told === undefined || proof === undefined) return told;
    const isNew = learn(endpoint, told.headers, proof);
    const { error } = (told.body ?? {}) as { error?: unknown };
    return isNew && told.status === 400 && error === 'use_dpop_nonce' ? once(await proveOnce()) : told;
  };
  return { post, prove, learn };
}

/** Was it answered with 2xx? */
export const isGood = (told: UpstreamResponse | undefined): told is UpstreamResponse =>
  told !== undefined && told.status >= 200 && told.status < 300;
