import type { RequestFacts } from '../index.js';
import { type Connection, urlOf } from './platform.js';

/** `Evidence` of src/gate/facts.rs. */
export interface Evidence {
  /** The policy under which it was found out, by the core's name for it. Under another the core ignores it. */
  policy?: string;
  keys?: 'unchanged';
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
  requirement?: number;
  method: string;
  url: string;
  target?: string;
  served?: readonly string[];
  urlVouched?: true;
  hasBody?: true;
  headers: [string, string][];
  clientAddress?: string;
  certificate?: string;
  evidence?: Evidence;
}

/** Which facts decisions rest on, as the core says. */
export interface Profile {
  /** The core's name for the policy; of several, that of the first. */
  policy: string;
  headers: string[];
  /** Those without the marks of a preflight, which mean something with OPTIONS alone. */
  ofRequests: string[];
  byPath: boolean;
  byAddress: boolean;
}

/** Which facts decisions rest on: of one core, or of several that are asked about the same ones. */
export function profileOf(...profiles: string[]): Profile {
  const all = profiles.map((json) => JSON.parse(json) as Profile);
  return {
    policy: all[0]?.policy ?? '',
    headers: [...new Set(all.flatMap((profile) => profile.headers))],
    ofRequests: [...new Set(all.flatMap((profile) => profile.ofRequests))],
    byPath: all.some((profile) => profile.byPath),
    byAddress: all.some((profile) => profile.byAddress),
  };
}

/** Collects what the core asks for, and nothing else. */
export function factsOf(
  request: Request | RequestFacts,
  requirement: number | undefined,
  { clientAddress, certificate, served, urlVouched }: Connection,
  profile: Profile,
): Facts {
  const facts: Facts = {
    method: request.method,
    url: urlOf(request, urlVouched),
    headers: fields(request.headers, request.method === 'OPTIONS' ? profile.headers : profile.ofRequests),
  };
  if (requirement !== undefined) facts.requirement = requirement;
  const { target } = request as Partial<RequestFacts>;
  if (target !== undefined) facts.target = target;
  if (served !== undefined && served.length > 0) facts.served = served;
  if (urlVouched) facts.urlVouched = true;
  if ('hasBody' in request && request.hasBody === true) facts.hasBody = true;
  // Over plain HTTP it matters where the connection begins.
  if (clientAddress !== undefined && (profile.byAddress || !facts.url.startsWith('https:')))
    facts.clientAddress = clientAddress;
  if (certificate !== undefined) facts.certificate = certificate;
  return facts;
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

/** A URL in which nothing has to be mended, of a length that nobody refuses; its parts are origin, path and query. */
const PLAIN = /^(https?:\/\/[\w.:[\]-]+)(\/[!-"$->@-[\]-~]*)(\?[!-"$-[\]-~]*)?$/;
const LONGEST = 4096;

/** What may be a dot segment. */
const DOTS = /\/(?:\.|%2e)/i;

/**
 * The facts that an answer rests on, as one text: requests with the same text get the same answer. `undefined` for those whose answer is
 * never kept.
 *
 * Of a URL the query is left out, unless a token may be in it, and so is the path where no route is asked. Everything that is not
 * fixed in length goes behind its length, so that no value can pass for the end of another.
 */
export function cacheKey(facts: Facts, byPath: boolean): string | undefined {
  const { requirement, method, url, target, served, urlVouched, headers } = facts;
  const { clientAddress = '', certificate = '' } = facts;
  // A preflight is told by its headers.
  if (method === 'OPTIONS') return undefined;
  const [, origin, path, query = ''] = (url.length <= LONGEST && PLAIN.exec(url)) || [];
  // At a target and at paths besides the URL's the core looks in any case: only where they say
  // nothing new may they be left out.
  if (served !== undefined) return undefined;
  if (target !== undefined && (path === undefined || target !== path + query || DOTS.test(target)))
    return undefined;
  let place = url;
  if (origin !== undefined && !query.includes('%') && !query.includes('access_token')) {
    place = requirement === undefined && byPath ? origin + path : origin;
  }
  let key = `${requirement ?? ''} ${urlVouched ?? ''} ${counted(method)}${counted(place)}${counted(clientAddress)}${counted(certificate)}`;
  for (const [name, value] of headers) {
    // A proof is good once.
    if (name === 'dpop') return undefined;
    key += `${name} ${counted(value)}`;
  }
  return key;
}

function counted(text: string): string {
  return `${text.length}:${text}`;
}
