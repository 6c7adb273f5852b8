import type { RequestFacts } from '../types.js';
import { type Connection, urlOf } from './platform.js';
import type { Snapshot } from './snapshot.js';

/** `Evidence` of src/gate/facts.rs. */
export interface Evidence {
  /**
   * The policy under which it was found out, by the core's name for it. Under another the core
   * ignores it.
   */
  policy?: string;
  keys?: 'unchanged' | 'tenant-refused';
  /** Why they could not be had, and in how many seconds their origin may be asked again. */
  keysFailure?: string;
  keysRetrySeconds?: number;
  introspection?: string;
  introspectionFailed?: 'unavailable' | 'busy';
  /** It may be the answer to an earlier question. */
  introspectionKept?: boolean;
  replay?: 'first' | 'seen' | 'unavailable';
  /** The proof that was asked about, as the core named it. */
  replayKey?: string;
  replayUntil?: number;
  check?: string;
}

/** `Facts` of src/gate/facts.rs. */
export interface Facts {
  requirement: number | undefined;
  method: string;
  url: string;
  target: string | undefined;
  served: readonly string[] | undefined;
  urlVouched: true | undefined;
  hasBody: true | undefined;
  headers: [string, string][];
  clientAddress: string | undefined;
  certificate: string | undefined;
}

/** Which facts decisions rest on, as the core says. */
export interface Profile {
  /** The core's name for the policy; of several, that of the first. */
  policy: string;
  headers: string[];
  /** Those without the marks of a preflight, which mean something with OPTIONS alone. */
  ofRequests: string[];
  /** Those that count over plain HTTP besides. */
  ofPlainHttp: string[];
  byPath: boolean;
  byAddress: boolean;
}

/**
 * Which facts decisions rest on: of one core, or of several that are asked about the same ones.
 * Those of the live core have to be enough for its shadow, also when a requirement names networks.
 */
export function profileOf(...profiles: string[]): Profile {
  const all = profiles.map((json) => JSON.parse(json) as Profile);
  return {
    policy: all[0]?.policy ?? '',
    headers: [...new Set(all.flatMap((profile) => profile.headers))],
    ofRequests: [...new Set(all.flatMap((profile) => profile.ofRequests))],
    ofPlainHttp: [...new Set(all.flatMap((profile) => profile.ofPlainHttp))],
    byPath: all.some((profile) => profile.byPath),
    byAddress: all.length > 1 || all.some((profile) => profile.byAddress),
  };
}

/** Collects what the core asks for, and nothing else. */
export function factsOf(
  request: Snapshot,
  requirement: number | undefined,
  { clientAddress, certificate, served, urlVouched }: Connection,
  profile: Profile,
): Facts {
  const { method, headers, target, hasBody } = request;
  const url = urlOf(request, urlVouched);
  // Over plain HTTP it matters where the connection begins, and whether a proxy is there.
  const isPlain = !url.startsWith('https:');
  const byAddress = profile.byAddress || isPlain;
  const wanted = method === 'OPTIONS' ? profile.headers : profile.ofRequests;
  // All members, in one order: one shape of object for every request. JSON leaves out what is
  // undefined.
  return {
    requirement,
    method,
    url,
    target,
    served: served !== undefined && served.length > 0 ? served : undefined,
    urlVouched: urlVouched ? true : undefined,
    hasBody: hasBody === true ? true : undefined,
    headers: fields(headers, isPlain ? [...wanted, ...profile.ofPlainHttp] : wanted),
    clientAddress: byAddress ? clientAddress : undefined,
    certificate,
  };
}

function fields(headers: RequestFacts['headers'], wanted: readonly string[]): [string, string][] {
  const found: [string, string][] = [];
  if (headers instanceof Headers) {
    for (const name of wanted) {
      const value = headers.get(name);
      if (value !== null) found.push([name, value]);
    }
    return found;
  }
  for (const [name, value] of headers) {
    const plain = name.toLowerCase();
    if (wanted.includes(plain)) found.push([plain, value]);
  }
  return found;
}

/**
 * A URL in which nothing has to be mended, of a length that nobody refuses: origin, path and
 * query.
 */
const PLAIN = /^https?:\/\/[\w.:[\]-]+\/[!-"$->@-[\]-~]*(?:\?[!-"$-[\]-~]*)?$/;
const LONGEST = 4096;

/** What may be a dot segment. */
const DOTS = /\/(?:\.|%2e)/i;

/**
 * The facts that an answer rests on, as one text: requests with the same text get the same answer.
 * `undefined` for those whose answer is never kept.
 *
 * Of a URL the query is left out, unless a token may be in it, and so is the path where no route
 * is asked. Everything that is not fixed in length goes behind its length, so that no value can
 * pass for the end of another.
 */
export function cacheKey(facts: Facts, byPath: boolean): string | undefined {
  const { requirement, method, url, target, served, urlVouched, headers } = facts;
  const { clientAddress = '', certificate = '' } = facts;
  // A preflight is told by its headers.
  if (method === 'OPTIONS') return undefined;
  // At a target and at paths besides the URL's the core looks in any case: only where they say
  // nothing new may they be left out.
  if (served !== undefined) return undefined;
  const isPlain = url.length <= LONGEST && PLAIN.test(url);
  // Behind the scheme, of which the shorter is `http://`, and a host of one character at least.
  const path = isPlain ? url.indexOf('/', 8) : 0;
  if (target !== undefined && (!isPlain || !isRest(target, url, path) || DOTS.test(target))) return undefined;
  let place = url;
  if (isPlain) {
    const query = url.indexOf('?', path);
    const isTold = query >= 0 && (url.includes('%', query) || url.includes('access_token', query));
    if (!isTold) {
      const end = requirement === undefined && byPath ? query : path;
      if (end >= 0) place = url.slice(0, end);
    }
  }
  let key = `${requirement ?? ''} ${urlVouched ?? ''} ${counted(method)}${counted(place)}${counted(clientAddress)}${counted(certificate)}`;
  for (const [name, value] of headers) {
    // A proof is good once.
    if (name === 'dpop') return undefined;
    key += `${name} ${counted(value)}`;
  }
  return key;
}

function isRest(text: string, whole: string, from: number): boolean {
  return text.length === whole.length - from && whole.endsWith(text);
}

function counted(text: string): string {
  return `${text.length}:${text}`;
}
