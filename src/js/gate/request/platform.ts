import { PolicyError } from '../../shared/errors.js';
import { isPromise } from '../../shared/synchronous.js';
import type { CheckContext, GateOptions } from '../types.js';
import type { Snapshot } from './snapshot.js';

/** What the connection tells, as the core reads it. */
export interface Connection {
  clientAddress: string | undefined;
  certificate: string | undefined;
  /** Where else a router serves the request. */
  served: readonly string[] | undefined;
  /**
   * Whether scheme and host of the URL are the platform's word, and not what the client wrote
   * into `Host`.
   */
  urlVouched: boolean;
}

type Platform = NonNullable<GateOptions['platform']>;

/** What Cloudflare adds to a request. It is made by the platform; no client can write it. */
interface Cf {
  tlsClientAuth?: { certPresented?: string; certRevoked?: string; certFingerprintSHA256?: string };
}

/** Whose fields are trusted: as the caller says, or as the runtime says of itself. */
export function platformOf(chosen: GateOptions['platform']): { platform: Platform; guessed: boolean } {
  if (chosen !== undefined) return { platform: chosen, guessed: false };
  const { navigator } = globalThis as { navigator?: { userAgent?: string } };
  if (navigator?.userAgent === 'Cloudflare-Workers') return { platform: 'cloudflare', guessed: true };
  // Not by its edge runtime, which `next start` has on any machine, with no proxy in front that
  // rewrites headers.
  if (isVercel()) return { platform: 'vercel', guessed: true };
  return { platform: 'none', guessed: true };
}

function isVercel(): boolean {
  const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } };
  try {
    return process?.env?.VERCEL === '1';
  } catch {
    // Deno, without leave to read the environment.
    return false;
  }
}

/** The connection by what the caller knows, or else by the platform's trusted fields. */
export function connectionOf(
  request: Snapshot,
  context: CheckContext,
  { platform, guessed }: ReturnType<typeof platformOf>,
): Connection {
  let clientAddress = addressOf(context.clientAddress);
  let certificate = asText(context.certificate);
  const { served } = context;
  // Node, Deno, Bun and workerd on a machine of one's own make the URL of `Host`.
  if (platform === 'none')
    return { clientAddress, certificate, served, urlVouched: context.urlVouched === true };
  if (platform === 'vercel') {
    clientAddress ??= header(request, 'x-vercel-forwarded-for') ?? header(request, 'x-real-ip');
    return { clientAddress, certificate, served, urlVouched: context.urlVouched ?? true };
  }
  const cf = request.cf as Cf | undefined;
  // Cloudflare and Vercel route by the host: only those of the account's own get here.
  const urlVouched = context.urlVouched ?? (!guessed || cf !== undefined);
  // workerd runs elsewhere as well, where nobody adds `cf`, and `cf-connecting-ip` is whatever the
  // client wrote.
  if (!guessed || cf !== undefined) clientAddress ??= header(request, 'cf-connecting-ip');
  const tls = cf?.tlsClientAuth;
  if (tls?.certPresented === '1' && tls.certRevoked !== '1') certificate ??= tls.certFingerprintSHA256;
  return { clientAddress, certificate, served, urlVouched };
}

/**
 * An address that is still to come would be none, and a client without one passes where only its
 * token counts.
 */
function addressOf(address: unknown): string | undefined {
  if (typeof address === 'string') return address;
  if (address === undefined || address === null) return undefined;
  const found = isPromise(address) ? 'a promise; await it first' : `a value of type ${typeof address}`;
  throw new PolicyError('/clientAddress', `must be a string, and is ${found}`);
}

/**
 * A host with or without a port: anything else would choose the path by which the gate decides.
 */
const AUTHORITY = /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d+)?$/i;

/**
 * The URL that was asked for. Next on a machine of one's own makes its URLs of the name that it
 * was started by, `http://localhost:3000`, and what was asked for stands in `Host` alone.
 */
export function urlOf(request: Snapshot, urlVouched: boolean): string {
  if (urlVouched || !request.isOfNext) return request.url;
  const host = header(request, 'host') ?? '';
  // What has no URL is malformed, which the gate says.
  return AUTHORITY.test(host) ? request.url.replace(/^(https?:\/\/)[^/?#]*/i, `$1${host}`) : '';
}

function header({ headers }: Snapshot, name: string): string | undefined {
  if (headers instanceof Headers) return headers.get(name) ?? undefined;
  const values = [...headers].flatMap(([own, value]) => (own.toLowerCase() === name ? [value] : []));
  // Two are no platform's.
  return values.length === 1 ? values[0] : undefined;
}

/** DER becomes a byte sequence of RFC 9440. */
function asText(certificate: string | Uint8Array | undefined): string | undefined {
  if (typeof certificate === 'string' || certificate === undefined) return certificate;
  return `:${btoa(Array.from(certificate, (byte) => String.fromCharCode(byte)).join(''))}:`;
}

export function platformOption(platform: unknown): GateOptions['platform'] {
  if (platform === undefined || platform === 'cloudflare' || platform === 'vercel' || platform === 'none')
    return platform;
  throw new PolicyError('/platform', 'must be "cloudflare", "vercel" or "none"');
}
