// Texts that only this backend can read and write: AES-256-GCM by the platform's Web Cryptography.
import { base64url } from '../shared/base64url.js';

/**
 * A secret of at least 32 bytes, with its encoding spelled out. Draw one with
 * `openssl rand -hex 32`, and keep it as the secret it is.
 */
export type SealingSecret = { hex: string } | { base64: string } | { base64url: string };

/** Seals texts for a purpose, and opens what it has sealed for the same one. */
export interface Sealer {
  seal(purpose: string, text: string): Promise<string>;
  /** Undefined when the text was not sealed for this purpose by one of the secrets. */
  open(purpose: string, sealed: string): Promise<string | undefined>;
}

const NAME_BYTES = 4;
/** Of AES-GCM. 2^32 texts of one key may draw it at random (NIST SP 800-38D §8.3). */
const IV_BYTES = 12;
const LEAST_BYTES = 32;
const INFO = 'portcullis/bff seal 1';

interface Key {
  name: string;
  key: CryptoKey;
}

/**
 * The first secret seals; each of them opens, so that a new one is put in front and the old one
 * taken away once nothing that it sealed is in use.
 * @throws TypeError naming the secret that is no good.
 */
export function sealerOf(secrets: readonly SealingSecret[]): Sealer {
  if (!Array.isArray(secrets) || secrets.length === 0)
    throw new TypeError('secrets: expected a list of at least one secret, such as [{ hex: env.BFF_SECRET }]');
  const bytes = secrets.map((secret, n) => bytesOf(secret, `secrets[${n}]`));
  let made: Promise<Key[]> | undefined;
  const keys = () => {
    made ??= Promise.all(bytes.map(derive));
    return made;
  };
  return {
    async seal(purpose, text) {
      const [first] = await keys();
      const { name, key } = first as Key;
      const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
      const sealed = await crypto.subtle.encrypt(parameters(iv, purpose), key, utf8(text));
      return name + base64url(concatenated(iv, new Uint8Array(sealed)));
    },
    async open(purpose, sealed) {
      const found = (await keys()).find(({ name }) => sealed.startsWith(name));
      const binary = found && decoded(sealed.slice(found.name.length));
      if (!found || !binary || binary.length <= IV_BYTES) return undefined;
      const [iv, rest] = [binary.slice(0, IV_BYTES), binary.slice(IV_BYTES)];
      try {
        const text = await crypto.subtle.decrypt(parameters(iv, purpose), found.key, rest);
        return new TextDecoder('utf-8', { fatal: true }).decode(text);
      } catch {
        return undefined;
      }
    },
  };
}

const parameters = (iv: Uint8Array<ArrayBuffer>, purpose: string) => ({
  name: 'AES-GCM',
  iv,
  additionalData: utf8(purpose),
});

/** A key of its own for this use, and a name that says nothing of it (RFC 5869). */
async function derive(secret: Uint8Array<ArrayBuffer>): Promise<Key> {
  const base = await crypto.subtle.importKey('raw', secret, 'HKDF', false, ['deriveKey', 'deriveBits']);
  const by = (info: string) => ({
    name: 'HKDF',
    hash: 'SHA-256',
    salt: new Uint8Array(),
    info: utf8(info),
  });
  const name = await crypto.subtle.deriveBits(by(`${INFO} name`), base, 8 * NAME_BYTES);
  const algorithm = { name: 'AES-GCM', length: 256 };
  const key = await crypto.subtle.deriveKey(by(INFO), base, algorithm, false, ['encrypt', 'decrypt']);
  return { name: base64url(new Uint8Array(name)), key };
}

function bytesOf(secret: SealingSecret, place: string): Uint8Array<ArrayBuffer> {
  const refuse = (found: string): never => {
    throw new TypeError(
      `${place}: expected { hex }, { base64 } or { base64url } of at least ${LEAST_BYTES} bytes; found ${found}`,
    );
  };
  if (typeof secret !== 'object' || secret === null) return refuse(`a ${typeof secret}`);
  const members = Object.entries(secret);
  const [encoding, text] = members[0] ?? [];
  if (members.length !== 1 || typeof text !== 'string') return refuse('no text, or more than one');
  const bytes =
    encoding === 'hex' ? ofHex(text) : /^base64(?:url)?$/.test(`${encoding}`) ? decoded(text) : undefined;
  if (bytes === undefined) return refuse(`what is not ${encoding}`);
  return bytes.length < LEAST_BYTES ? refuse(`${bytes.length} bytes`) : bytes;
}

function ofHex(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^(?:[\da-f]{2})+$/i.test(text)) return undefined;
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** Base64 in either alphabet, with or without its padding. */
function decoded(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (char) =>
      char.charCodeAt(0),
    );
  } catch {
    return undefined;
  }
}

function concatenated(...parts: Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

const utf8 = (text: string) => new TextEncoder().encode(text);
