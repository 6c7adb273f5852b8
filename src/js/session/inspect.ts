// Decoding without verifying, by the rules and with the answers of src/jws/compact.rs and
// src/json; the vectors of the kind `inspect` hold both to that.
import type { Rejected, UnverifiedClaims } from '../verifier/verdict.js';

// src/limits.rs
const TOKEN_BYTES = 8192;
const DEPTH = 16;
const MEMBERS = 128;
const LATEST = 253_402_300_799;

/**
 * Why a text is no token: code, stage and fields of the core, which has a sentence for each
 * besides, and says what it found.
 */
export type Malformed = Rejected extends infer R
  ? R extends { code: DecoderCode }
    ? Omit<R, 'message' | 'found'>
    : never
  : never;

type DecoderCode =
  | 'token-missing'
  | 'token-too-large'
  | 'segment-count'
  | 'segment-not-base64url'
  | 'json-malformed'
  | 'json-too-deep'
  | 'json-too-many-members'
  | 'json-duplicate-member';

/**
 * What a token says of itself. Nobody has checked who wrote it: its claims cannot be passed where
 * verified ones are asked for.
 */
export interface Unverified {
  readonly ok: true;
  readonly verified: false;
  readonly header: { readonly [member: string]: unknown };
  readonly claims: UnverifiedClaims;
  /**
   * `iat`, `nbf` and `exp` (RFC 7519 §4.1) in seconds since 1970; undefined where there is none or
   * it is no such time.
   */
  readonly issuedAt: number | undefined;
  readonly notBefore: number | undefined;
  readonly expiresAt: number | undefined;
}

/**
 * Decodes a token in the compact serialization (RFC 7515 §7.1) without verifying anything.
 * Whatever the token is, the answer is a value.
 * @example
 * ```ts
 * import { inspect } from 'portcullis/session';
 *
 * const seen = inspect(token);
 * if (seen.ok) console.log(seen.claims.sub, seen.expiresAt); // what anybody may have written
 * ```
 */
export function inspect(token: unknown): Unverified | Malformed {
  try {
    return read(token);
  } catch (fault) {
    return fault as Malformed;
  }
}

function read(token: unknown): Unverified {
  if (typeof token !== 'string' || !token) throw refusal('token-missing');
  // A huge one is not copied; of a short one, the bytes of its UTF-8 are counted as the core does.
  let actual = token.length;
  if (actual <= TOKEN_BYTES) actual = bytesOf(token);
  if (actual > TOKEN_BYTES) throw refusal('token-too-large', { limit: TOKEN_BYTES, actual });
  const segments = token.split('.') as [string, string, string];
  actual = segments.length;
  if (actual !== 3) throw refusal('segment-count', { expected: 3, actual });
  const [header, payload, signature] = segments;
  decode('signature', signature);
  const head = object('header', header);
  const claims = object('payload', payload) as unknown as UnverifiedClaims;
  const [issuedAt, notBefore, expiresAt] = ['iat', 'nbf', 'exp'].map((name) => time(claims[name]));
  return { ok: true, verified: false, header: head, claims, issuedAt, notBefore, expiresAt };
}

/** How long it is in UTF-8, where half of a surrogate pair is written as U+FFFD. */
const bytesOf = (text: string) =>
  encodeURIComponent(text.replace(/[\ud800-\udfff]/gu, '\ufffd')).replace(/%../g, '.').length;

const refusal = (code: DecoderCode, fields?: { part?: string; [name: string]: unknown }) => ({
  ok: false,
  code,
  // What is wrong with the payload's JSON, the core finds one stage later.
  stage: fields?.part === 'payload' ? 'claims' : 'jws',
  ...fields,
});

const time = (value: unknown) =>
  typeof value === 'number' && value >= 0 && value <= LATEST ? value : undefined;

/**
 * The bytes as escapes in a URL: there is one text for each sequence of bytes (src/base64url.rs).
 * React Native's Hermes has neither `atob` nor `TextDecoder`.
 */
function decode(segment: string, text: string): string {
  let bits = 0;
  // How many of them are there yet.
  let count = 0;
  const bytes = text.replace(/./gs, (digit) => {
    const code = digit.charCodeAt(0);
    const base = code > 96 ? 71 : code > 94 ? 32 : code > 64 ? 65 : code > 47 ? -4 : -17;
    bits = (bits << 6) | (code - base);
    count = (count + 6) % 8;
    return count > 5 ? '' : `%${(((bits >> count) & 255) + 256).toString(16).slice(1)}`;
  });
  if (/[^\w-]/.test(text) || count > 5 || bits & ((1 << count) - 1))
    throw refusal('segment-not-base64url', { segment });
  return bytes;
}

function object(part: string, segment: string): { [member: string]: unknown } {
  const bytes = decode(part, segment);
  let text = '';
  try {
    text = decodeURIComponent(bytes);
  } catch {}
  check(text, part);
  return JSON.parse(text);
}

const SPACE = /[ \n\r\t]*/y;
const OBJECT = /[ \n\r\t]*(?=\{)/y;
const STRING = /"[ !#-[\]-\uffff]*(?:\\(?:["\\/bfnrt]|u[\da-fA-F]{4})[ !#-[\]-\uffff]*)*"/y;
const NUMBER = /-?(0|[1-9]\d*)(?:\.(\d+))?(?:[eE]([+-]?\d+))?/y;
const LITERAL = /true|false|null/y;

/** Throws what src/json/reader.rs finds first: one pass, its depth bounded. */
function check(text: string, part: string): void {
  let at = 0;
  let members = 0;
  const refuse = (code: DecoderCode, more?: object) => refusal(code, { part, ...more });
  const malformed = (fault: unknown) => {
    if (fault) throw refuse('json-malformed');
  };
  const take = (pattern: RegExp) => {
    pattern.lastIndex = at;
    const found = pattern.exec(text) as RegExpExecArray;
    malformed(!found);
    at = pattern.lastIndex;
    return found;
  };
  const next = () => {
    take(SPACE);
    return text[at++];
  };
  const string = () => {
    const value: string = JSON.parse(take(STRING)[0]);
    // Half of a pair is no character.
    malformed(/[\ud800-\udfff]/u.test(value));
    return value;
  };
  const number = () => {
    const [, whole, fraction = '', exponent = 0] = take(NUMBER) as unknown as [
      string,
      string,
      string?,
      string?,
    ];
    const zeros = whole === '0' ? fraction.search(/[1-9]/) : 0;
    // The place of the first digit: 10³⁰⁸ and more would be infinite, or nearly.
    const place = whole === '0' ? -1 - zeros : whole.length - 1;
    malformed(zeros >= 0 && place + Number(exponent) >= 308);
  };
  const value = (depth: number) => {
    const opened = next();
    const named = opened === '{';
    if (!named && opened !== '[') {
      at--;
      if (opened === '"') string();
      else if (/[-\d]/.test(opened ?? '')) number();
      else take(LITERAL);
      return;
    }
    if (depth === 0) throw refuse('json-too-deep', { limit: DEPTH });
    const close = named ? '}' : ']';
    const names = new Set<string>();
    if (next() === close) return;
    at--;
    for (;;) {
      if (named) {
        take(SPACE);
        const name = string();
        if (++members > MEMBERS) throw refuse('json-too-many-members', { limit: MEMBERS });
        if (names.has(name)) throw refuse('json-duplicate-member');
        names.add(name);
        malformed(next() !== ':');
      }
      value(depth - 1);
      const token = next();
      if (token === close) return;
      malformed(token !== ',');
    }
  };
  take(OBJECT);
  value(DEPTH);
  take(SPACE);
  malformed(at < text.length);
}
