import { PolicyError } from '../shared/errors.js';
import type { Sealed } from './index.js';

/** The custom section of a wasm file (WebAssembly Core §5.5.3) that holds a policy's JSON text. */
export const SECTION = 'portcullis.policy';

const CUSTOM = 0;
/** Magic and version. */
const PREAMBLE = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];

/**
 * The policy in a sealed file, as its text.
 * @throws PolicyError when it is no wasm file, or does not hold exactly one policy.
 */
export function sealedPolicy(sealed: Sealed): string {
  // Bytes are read here and not compiled: some runtimes compile nothing at run time.
  const bytes = bytesOf(sealed);
  const sections = bytes
    ? customSections(bytes, SECTION)
    : WebAssembly.Module.customSections(sealed as WebAssembly.Module, SECTION).map(
        (content) => new Uint8Array(content),
      );
  const [only, ...others] = sections;
  if (only === undefined) throw new PolicyError('', 'holds no policy; `portcullis seal` writes one into it');
  if (others.length > 0) throw new PolicyError('', 'holds more than one policy');
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(only);
}

/** A wasm file with a policy's text at its end. */
export function seal(wasm: Uint8Array, policy: string): Uint8Array<ArrayBuffer> {
  if (customSections(wasm, SECTION).length > 0) throw new PolicyError('', 'is sealed already');
  const encoder = new TextEncoder();
  const [name, text] = [encoder.encode(SECTION), encoder.encode(policy)];
  const content = [...leb128(name.length), ...name, ...text];
  return Uint8Array.from([...wasm, CUSTOM, ...leb128(content.length), ...content]);
}

function bytesOf(sealed: Sealed): Uint8Array | undefined {
  if (ArrayBuffer.isView(sealed)) return new Uint8Array(sealed.buffer, sealed.byteOffset, sealed.byteLength);
  // A buffer of another realm is no instance of this one's.
  if (Object.prototype.toString.call(sealed) === '[object ArrayBuffer]')
    return new Uint8Array(sealed as ArrayBuffer);
  return undefined;
}

function customSections(bytes: Uint8Array, wanted: string): Uint8Array[] {
  const found: Uint8Array[] = [];
  if (PREAMBLE.some((byte, index) => bytes[index] !== byte))
    throw new PolicyError('', 'is no WebAssembly file');
  let at = PREAMBLE.length;
  const number = () => {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = bytes[at++];
      if (byte === undefined) break;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new PolicyError('', 'is no whole WebAssembly file');
  };
  while (at < bytes.length) {
    const id = bytes[at++];
    const end = number() + at;
    if (end > bytes.length) throw new PolicyError('', 'is no whole WebAssembly file');
    if (id === CUSTOM) {
      const length = number();
      const name = new TextDecoder().decode(bytes.subarray(at, at + length));
      if (name === wanted) found.push(bytes.subarray(at + length, end));
    }
    at = end;
  }
  return found;
}

function leb128(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) + 0x80);
    rest = Math.floor(rest / 0x80);
  }
  return [...bytes, rest];
}
