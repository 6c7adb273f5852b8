// base64url without padding (RFC 4648 §5, RFC 7515 §2), and UTF-8.

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The bytes of a segment, however it is written; `undefined` when it is no base64url at all. */
export function decode(text) {
  if (!/^[\w-]*$/.test(text) || text.length % 4 === 1) return undefined;
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at += 1) bytes[at] = binary.charCodeAt(at);
  return bytes;
}

export function encode(bytes) {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

export const bytesOf = (text) => new TextEncoder().encode(text);
export const encodeText = (text) => encode(bytesOf(text));
export const encodeJson = (value) => encodeText(JSON.stringify(value));

/** The text in UTF-8; `undefined` when the bytes are none. */
export function textOf(bytes) {
  try {
    return strict.decode(bytes);
  } catch {
    return undefined;
  }
}

export const hexOf = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

/** Bytes written in hexadecimal; `undefined` when they are not. */
export function bytesOfHex(text) {
  const digits = text.replaceAll(/[\s:]/g, '');
  if (!/^(?:[\da-f]{2})*$/i.test(digits)) return undefined;
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
