import type { FinalIssuerStep } from './loop.js';

/** A response as the core gives it. */
export type CoreResponse = (FinalIssuerStep & { step: 'done' })['response'];

/** The last body that was compressed: the snapshot, which many ask for within a second. */
let last: { body: string; bytes: Uint8Array<ArrayBuffer> } | undefined;

/**
 * The core's answer as a Response. One that it says is in gzip is compressed here, where the
 * runtime can.
 */
export async function toResponse({ status, headers, body }: CoreResponse): Promise<Response> {
  if (body === '' || !headers.some(([name]) => name === 'content-encoding'))
    return new Response(body === '' ? null : body, { status, headers });
  if (typeof CompressionStream === 'undefined') {
    const plain = headers.filter(([name]) => name !== 'content-encoding');
    return new Response(body, { status, headers: plain });
  }
  if (last?.body !== body) last = { body, bytes: await gzipped(body) };
  // workerd would compress it once more; others do not know the member.
  const init = { status, headers, encodeBody: 'manual' };
  return new Response(last.bytes, init);
}

async function gzipped(body: string): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([body]).stream().pipeThrough(new CompressionStream('gzip'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
