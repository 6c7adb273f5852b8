import { orPolicyError, PolicyError } from './errors.js';
import type { RevocationUpdate, StatusUpdate } from './index.js';
import type { RawVerifier } from './wasm/glue.js';

const encoder = new TextEncoder();

/** Hands lists of revocations to the core, through its input: of megabytes there is no copy in its memory but what it keeps. */
export function listUpdate(
  raw: RawVerifier,
  memory: WebAssembly.Memory,
  documents: string,
  now: number,
): RevocationUpdate {
  orPolicyError(() => known(raw.beginRevocations).call(raw, now));
  const room = raw.inputBytes();
  for (let from = 0; from < documents.length; ) {
    // The memory may have grown with the last piece.
    const input = new Uint8Array(memory.buffer, raw.input(), room);
    const { read, written } = encoder.encodeInto(documents.substring(from, from + room), input);
    known(raw.moreRevocations).call(raw, written);
    from += read;
  }
  return told(() => known(raw.endRevocations).call(raw)) as RevocationUpdate;
}

/** Hands a status list to the core. */
export function statusUpdate(raw: RawVerifier, uri: string, jwt: string, now: number): StatusUpdate {
  return told(() => known(raw.applyStatusList).call(raw, uri, jwt, now)) as StatusUpdate;
}

function told(ask: () => string): object {
  const said = JSON.parse(orPolicyError(ask)) as object;
  return { ok: !('code' in said), ...said };
}

/** Most modules are built without revocation. */
function known<F>(method: F | undefined): F {
  if (method !== undefined) return method;
  throw new PolicyError('/revocation', 'is read by portcullis/gate alone; its createVerifier knows it too');
}
