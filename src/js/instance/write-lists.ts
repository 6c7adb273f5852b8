import type { RawVerifier } from '../wasm/glue.js';
import type { Instance } from './instance.js';

const encoder = new TextEncoder();

/**
 * Hands lists of revocations to the core, through its input: of megabytes there is no copy in its
 * memory but what it keeps.
 */
export function takeLists(
  raw: RawVerifier,
  home: Instance,
  documents: string,
  now: number,
): { told: string; taken: number } {
  raw.beginRevocations?.(now);
  const room = raw.inputBytes();
  for (let from = 0; from < documents.length; ) {
    // The memory may have grown with the last piece.
    const input = new Uint8Array(home.buffer, raw.input(), room);
    const { read, written } = encoder.encodeInto(documents.substring(from, from + room), input);
    raw.moreRevocations?.(written);
    from += read;
  }
  const told = raw.endRevocations?.() ?? '';
  return { told, taken: raw.takenRevocations?.() ?? 0 };
}
